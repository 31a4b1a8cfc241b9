// SPDX-License-Identifier: MIT
#include "proxmox/vm_args.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include <nlohmann/json.hpp>

namespace longcord {

namespace {

struct Token {
    std::string text;      ///< without quotes
    std::size_t begin = 0; ///< in `args`
    std::size_t end = 0;
};

bool is_blank(char c) {
    return trim(std::string_view(&c, 1)).empty();
}

/// Text::ParseWords::shellwords, which PVE uses: quotes, and a backslash outside single quotes.
Result<std::vector<Token>> split(std::string_view args) {
    std::vector<Token> tokens;
    std::optional<Token> token;
    char quote = 0;
    for (std::size_t i = 0; i < args.size(); ++i) {
        const char c = args[i];
        if (quote == 0 && is_blank(c)) {
            if (token)
                tokens.push_back(std::move(*token));
            token.reset();
            continue;
        }
        if (!token)
            token = Token{{}, i, i};
        if (c == '\\' && quote != '\'' && i + 1 == args.size())
            return fail(ErrorKind::invalid, "in its args, nothing follows the last backslash");
        if (c == '\\' && quote != '\'')
            token->text += args[++i];
        else if (quote != 0 && c == quote)
            quote = 0;
        else if (quote == 0 && (c == '"' || c == '\''))
            quote = c;
        else
            token->text += c;
        token->end = i + 1;
    }
    if (quote != 0)
        return fail(ErrorKind::invalid, "in its args, a {} is not closed", quote);
    if (token)
        tokens.push_back(std::move(*token));
    return tokens;
}

/// The text of some tokens, with what stands between them. A blank after a backslash is a token's
/// own, so they are not what trim() leaves.
std::string_view text_of(std::string_view args, std::span<const Token> tokens) {
    if (tokens.empty())
        return {};
    return args.substr(tokens.front().begin, tokens.back().end - tokens.front().begin);
}

std::string joined(std::string_view head, std::string_view tail) {
    return std::string(head) + (head.empty() || tail.empty() ? "" : " ") + std::string(tail);
}

using Properties = std::map<std::string, std::string>;

/// "qemu-xhci,id=longcord,addr=0x1f", or the same as JSON.
Properties properties_of(const std::string& value) {
    Properties all;
    if (value.starts_with('{')) {
        const auto object = nlohmann::json::parse(value, nullptr, false);
        if (object.is_object())
            for (const auto& [key, part] : object.items())
                all[key] = part.is_string() ? part.get<std::string>() : part.dump();
        return all;
    }
    std::string_view rest = value;
    for (bool first = true; !rest.empty(); first = false) {
        const auto end = rest.find(',');
        const auto part = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        const auto equals = part.find('=');
        if (equals != std::string_view::npos)
            all[std::string(part.substr(0, equals))] = part.substr(equals + 1);
        else if (first)
            all["driver"] = part;
    }
    return all;
}

std::string value_of(const Properties& properties, const char* key) {
    const auto found = properties.find(key);
    return found == properties.end() ? "" : found->second;
}

/// "0x1f", "1f", "0x1f.0" and "0x1f.0x0": QEMU reads hexadecimal in all of them.
bool is_slot_31(std::string addr) {
    addr.resize(std::min(addr.find('.'), addr.size()));
    if (addr.starts_with("0x") || addr.starts_with("0X"))
        addr = addr.substr(2);
    constexpr unsigned slot = 0x1f;
    return parse_hex(addr) == slot;
}

struct Found {
    std::optional<std::size_t> ours; ///< the -device token
    std::optional<Error> taken;
};

Found look_for(const std::vector<Token>& tokens) {
    static const std::string own(static_controller.substr(static_controller.find(' ') + 1));
    const Properties wanted = properties_of(own);
    Found found;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        const std::string& option = tokens[i].text;
        const Properties device = properties_of(tokens[i + 1].text);
        if ((option == "-device" || option == "--device") && device == wanted) {
            found.ours = i;
            continue;
        }
        if (!option.starts_with('-'))
            continue;
        const std::string text = printable(tokens[i + 1].text);
        if (value_of(device, "id") == "longcord")
            found.taken =
                fail(ErrorKind::busy, "in its args, \"{} {}\" has the id longcord", option, text);
        else if (value_of(device, "bus") == "pci.1" && is_slot_31(value_of(device, "addr")))
            found.taken = fail(
                ErrorKind::busy, "in its args, \"{} {}\" has slot 0x1f of pci.1", option, text);
    }
    return found;
}

} // namespace

Result<std::string> with_controller(std::string_view args) {
    const auto tokens = split(args);
    if (!tokens)
        return tokens.error();
    const Found found = look_for(*tokens);
    if (found.ours)
        return std::string(args);
    if (found.taken)
        return *found.taken;
    return joined(text_of(args, *tokens), static_controller);
}

Result<std::string> without_controller(std::string_view args) {
    const auto tokens = split(args);
    if (!tokens)
        return tokens.error();
    const Found found = look_for(*tokens);
    if (!found.ours)
        return std::string(args);
    const std::span all(*tokens);
    // Somebody may have put it there twice.
    return without_controller(
        joined(text_of(args, all.first(*found.ours)), text_of(args, all.subspan(*found.ours + 2))));
}

} // namespace longcord
