// SPDX-License-Identifier: MIT
#include "rules/rule_line.hpp"

#include "base/text.hpp"
#include "rules/bad_place.hpp"
#include "rules/bad_word.hpp"
#include "rules/device_class.hpp"

#include <array>
#include <set>

namespace longcord {

namespace {

class LineParser {
  public:
    RuleLine parse(std::string_view line) {
        auto split = split_line(line);
        out_.error = std::move(split.error);
        out_.warning = std::move(split.warning);
        if (out_.error || split.tokens.empty())
            return std::move(out_);
        take_place(split.tokens);
        for (std::size_t i = 1; i < split.tokens.size() && !out_.error; ++i)
            take_word(split.tokens, i);
        if (!out_.error) {
            const auto start = split.tokens.front().offset;
            rule_.text = line.substr(start, split.end - start);
            out_.rule = std::move(rule_);
            warn(split.tokens.front().offset);
        }
        return std::move(out_);
    }

  private:
    void fail(std::size_t offset, std::string message) {
        out_.error = LineError{offset, std::move(message)};
    }

    void take_place(const std::vector<Token>& tokens) {
        const auto& first = tokens.front();
        auto text = first.raw;
        if (auto foreign = foreign_line(tokens))
            return fail(first.offset, std::move(*foreign));
        rule_.deny = text.starts_with('!');
        if (rule_.deny)
            text.remove_prefix(1);
        if (rule_.deny && text.empty() && tokens.size() > 1)
            return fail(
                first.offset, "no blank stands after !: write !" + printable(tokens[1].raw));
        auto place = PlacePattern::read(text);
        if (!place)
            return fail(first.offset + (rule_.deny ? 1 : 0), bad_place_message(text));
        rule_.place = std::move(*place);
    }

    void take_word(const std::vector<Token>& tokens, std::size_t index) {
        const auto& token = tokens[index];
        if (!token.has_key && token.raw == "force")
            return take_force(token);
        if (auto id = UsbId::parse(token.raw); !token.has_key && id)
            return once(token, "vid:pid", rule_.id, *id);
        if (!token.has_key || !is_key(token.key))
            return fail(token.offset, bad_word_message(tokens, index));
        if (token.value.empty())
            return fail(token.value_offset, empty_value_message(token.key));
        if (rule_.deny && is_option(token.key))
            return fail(
                token.offset, "a line with ! plugs nothing, so " + token.key +
                                  "= has no meaning here: remove it");
        take_value(token);
    }

    void take_force(const Token& token) {
        if (rule_.deny)
            return fail(
                token.offset,
                "a line with ! plugs nothing, so force has no meaning here: remove it");
        if (rule_.force)
            return fail(token.offset, "force is given twice: remove one");
        rule_.force = true;
    }

    void take_value(const Token& token) {
        if (token.key == "serial")
            return take_text(token, rule_.serial);
        if (token.key == "product")
            return take_text(token, rule_.product);
        if (token.key == "class")
            return take_class(token);
        if (token.key == "port")
            return take_number(token, rule_.guest_port, max_guest_port);
        if (token.key == "config")
            return take_number(token, rule_.configuration, max_configuration);
        auto value = parse_usb_host_option(token.key, token.value);
        if (!value)
            return fail(token.value_offset, value.error().message);
        if (!rule_.properties.emplace(token.key, *value).second)
            fail(token.offset, token.key + "= is given twice: remove one");
    }

    void take_text(const Token& token, std::optional<std::string>& field) {
        if (token.value.size() > max_device_string)
            return fail(
                token.value_offset, fmt::format(
                                        "{}= is longer than {} bytes: no device has such a text",
                                        token.key, max_device_string));
        once(token, token.key + '=', field, token.value);
    }

    void take_class(const Token& token) {
        const auto code = parse_device_class(token.value);
        if (!code)
            return fail(token.value_offset, bad_class_message(token.value));
        once(token, "class=", rule_.device_class, *code);
    }

    void take_number(const Token& token, std::optional<unsigned>& field, unsigned highest) {
        const auto number = parse_decimal(token.value, highest);
        if (!number || *number == 0)
            return fail(token.value_offset, bad_number_message(token.key, token.value, highest));
        once(token, token.key + '=', field, *number);
    }

    template <class T, class V>
    void once(const Token& token, const std::string& name, std::optional<T>& field, V value) {
        if (field)
            return fail(
                token.offset,
                name + (is_option(token.key) ? " is given twice: remove one"
                                             : " is given twice: write a line for each"));
        field = std::move(value);
    }

    /// Right, but hardly meant.
    void warn(std::size_t offset) {
        const auto& rule = *out_.rule;
        const bool unqualified = !rule.id && !rule.serial && !rule.product && !rule.device_class;
        if (out_.warning || rule.deny)
            return;
        if (rule.device_class == class_hub)
            out_.warning = LineError{
                offset, "hubs are never plugged, so this rule does nothing: "
                        "write the hub's place alone for all that is below it"};
        else if (rule.place.kind == PlacePattern::Kind::anywhere && unqualified)
            out_.warning = LineError{
                offset, "this takes every device of this host and of every Pi, keyboards "
                        "included: write a place, or add a vid:pid or a serial="};
    }

    Rule rule_;
    RuleLine out_;
};

} // namespace

RuleLine parse_rule_line(std::string_view line) {
    return LineParser().parse(line);
}

} // namespace longcord
