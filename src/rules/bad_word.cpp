// SPDX-License-Identifier: MIT
#include "rules/bad_word.hpp"

#include "base/text.hpp"
#include "rules/bad_place.hpp"
#include "rules/device_class.hpp"
#include "rules/place_pattern.hpp"
#include "rules/suggest.hpp"
#include "rules/usb_host_option.hpp"

#include <algorithm>
#include <array>

namespace longcord {

static constexpr std::array<std::string_view, 12> keys{
    "serial",  "product",          "class",    "port",     "config",   "guest-reset",
    "isobufs", "guest-resets-all", "isobsize", "loglevel", "pipeline", "suppress-remote-wake"};

static constexpr std::string_view all_words = "after the place come vid:pid, serial=, product=, "
                                              "class=, force, port=, config= and the usb-host "
                                              "properties ";

bool is_option(std::string_view key) noexcept {
    return key == "port" || key == "config" || is_usb_host_option(key);
}

bool is_key(std::string_view key) noexcept {
    return key == "serial" || key == "product" || key == "class" || is_option(key);
}

/// What other programs call it.
static std::string_view our_key(std::string_view key) {
    struct Alias {
        std::string_view theirs, ours;
    };
    static constexpr std::array aliases{
        Alias{"iserial", "serial"},
        Alias{"sn", "serial"},
        Alias{"serialnumber", "serial"},
        Alias{"serial-number", "serial"},
        Alias{"serial_number", "serial"},
        Alias{"id_serial_short", "serial"},
        Alias{"name", "product"},
        Alias{"model", "product"},
        Alias{"iproduct", "product"},
        Alias{"id_model", "product"},
        Alias{"manufacturer", "product"},
        Alias{"description", "product"},
        Alias{"label", "product"},
        Alias{"guest-port", "port"},
        Alias{"guestport", "port"},
        Alias{"guest_port", "port"},
        Alias{"configuration", "config"},
        Alias{"bconfigurationvalue", "config"},
        Alias{"bdeviceclass", "class"},
        Alias{"type", "class"},
        Alias{"guest_reset", "guest-reset"},
    };
    const auto lower = ascii_lower(key);
    for (const auto& alias : aliases)
        if (alias.theirs == lower)
            return alias.ours;
    return closest(lower, keys);
}

static bool names_an_id(std::string_view key) {
    static constexpr std::array<std::string_view, 14> names{
        "id",     "ids",      "vid",      "pid",       "vidpid",    "vid:pid",      "usbid",
        "vendor", "vendorid", "idvendor", "productid", "idproduct", "id_vendor_id", "device"};
    return std::find(names.begin(), names.end(), ascii_lower(key)) != names.end();
}

std::optional<std::string> foreign_line(const std::vector<Token>& tokens) {
    const auto& first = tokens.front();
    const auto is_usb_line = first.raw.starts_with("usb") && first.raw.ends_with(':');
    if (is_usb_line || first.key == "host" || first.key == "mapping") {
        const auto& rest = tokens.size() > 1 && is_usb_line ? tokens[1] : first;
        const auto value = std::string_view(rest.value).substr(0, rest.value.find(','));
        std::string rule = "a place, such as 3-4";
        if (const auto id = guess_usb_id(value); rest.key == "host" && !id.empty())
            rule = "*/* " + id;
        else if (rest.key == "host" && PlacePattern::read(value))
            rule = std::string(value);
        return "this is a line of a VM's own config: write " + rule;
    }
    if (first.raw == "Bus" || first.raw == "ID")
        for (const auto& token : tokens)
            if (const auto id = guess_usb_id(token.raw); !id.empty())
                return "this is a line that lsusb prints: write */* " + id;
    if (tokens.size() > 2 && tokens[1].raw == "-") {
        const auto joined = std::string(first.raw) + '-' + std::string(tokens[2].raw);
        if (PlacePattern::read(joined))
            return "no blanks stand in a place: write " + joined;
    }
    static constexpr std::array<std::string_view, 6> denying{"deny",   "block",   "not",
                                                             "except", "exclude", "ignore"};
    if (tokens.size() > 1 && PlacePattern::read(tokens[1].raw) && !tokens[1].has_key) {
        if (std::find(denying.begin(), denying.end(), first.raw) != denying.end())
            return "leaving out a place is written with !: write !" + std::string(tokens[1].raw);
        if (first.raw == "allow" || first.raw == "-" || first.raw == "*")
            return "a rule begins with its place: write " + std::string(tokens[1].raw);
    }
    return std::nullopt;
}

/// "serial = 0001", "serial= 0001", "serial =0001": three or two words of what should be one.
static std::string joined_equals(const std::vector<Token>& tokens, std::size_t index) {
    const auto raw = [&](std::size_t i) {
        return i < tokens.size() ? tokens[i].raw : std::string_view();
    };
    auto value = raw(index + 1);
    if (!value.starts_with('='))
        return {};
    value = value == "=" ? raw(index + 2) : value.substr(1);
    return fmt::format("{}={}", printable(raw(index)), printable(value));
}

/// A place where a qualifier should be.
static std::string second_place(const std::vector<Token>& tokens, std::string_view word) {
    const auto pi = tokens.front().raw;
    const auto place = PlacePattern::read(word);
    if (!place || place->kind == PlacePattern::Kind::pi_any)
        return {};
    if (is_pi_name(pi) && !place->is_of_pi() && place->kind != PlacePattern::Kind::anywhere)
        return fmt::format("a Pi and its port are one word: write {}/{}", pi, word);
    return fmt::format("a rule has one place: write {} on a line of its own", word);
}

static std::string unknown_key_message(const Token& token) {
    const auto lower = ascii_lower(token.key);
    const auto id = guess_usb_id(token.value);
    if (!id.empty())
        return fmt::format("a vid:pid stands alone: write {}", id);
    if (names_an_id(lower))
        return fmt::format(
            "{}= is no qualifier: write vendor and product together, as lsusb shows "
            "them, such as 10c4:ea60",
            printable(token.key));
    if (lower == "force")
        return "force has no value: write force";
    if (const auto why = why_not_an_option(lower); !why.empty())
        return fmt::format(
            "{}= cannot be set in a rule ({}): remove it", printable(token.key), why);
    if (const auto key = our_key(token.key); !key.empty())
        return fmt::format(
            "{} is no qualifier or option: write {}={}", quoted(token.key + '='), key,
            token.value.empty() ? "..." : printable(token.value));
    return fmt::format(
        "{} is no qualifier or option: {}{}", quoted(token.key + '='), all_words,
        usb_host_option_names());
}

static bool is_half_an_id(std::string_view word) {
    return word.size() == 4 && parse_hex(word).has_value();
}

std::string bad_word_message(const std::vector<Token>& tokens, std::size_t index) {
    const auto& token = tokens[index];
    if (token.has_key)
        return unknown_key_message(token);
    auto word = token.raw;
    if (const auto joined = joined_equals(tokens, index); !joined.empty())
        return "no blanks stand around =: write " + joined;
    if (const auto id = guess_usb_id(word); !id.empty())
        return fmt::format("{} is no vid:pid: write {}", quoted(word), id);
    if (word.starts_with('!'))
        return fmt::format(
            "! stands only at the front of a line: write {} on a line of its own",
            PlacePattern::read(word.substr(1)) ? printable(word)
                                               : '!' + printable(tokens.front().raw) + " ...");
    if (auto message = second_place(tokens, word); !message.empty())
        return message;
    if (is_key(word))
        return fmt::format("{} has no value: write {}=...", quoted(word), word);
    static constexpr std::array<std::string_view, 1> force{"force"};
    if (!closest(word, force).empty() || word == "--force" || word == "-f")
        return quoted(word) + " is no option: write force";
    if (const auto colon = word.find(':'); colon != word.npos && is_key(word.substr(0, colon)))
        return fmt::format(
            "a value follows =: write {}={}", word.substr(0, colon),
            printable(word.substr(colon + 1)));
    if (is_half_an_id(word) && index + 1 < tokens.size() && is_half_an_id(tokens[index + 1].raw))
        return fmt::format("a vid:pid is one word: write {}:{}", word, tokens[index + 1].raw);
    if (word.find(':') != word.npos)
        return fmt::format(
            "{} is no vid:pid: write four hex digits, a colon and four more, such as "
            "10c4:ea60",
            quoted(word));
    if (parse_device_class(word) && !parse_hex(word))
        return fmt::format("a class is written with its key: write class={}", ascii_lower(word));
    const auto& before = tokens[index - 1];
    if (before.has_key && (before.key == "product" || before.key == "serial"))
        return fmt::format(
            "a value with blanks stands in quotes: write {}=\"{} {}\"", before.key,
            printable(before.value), printable(word));
    if (const auto hint = device_class_hint(word); !hint.empty())
        return fmt::format("{} is no qualifier: write {}", quoted(word), hint);
    if (word == "//" || word == ";" || word == "--")
        return "a comment begins with #: write # in place of " + printable(word);
    return fmt::format(
        "{} is no qualifier or option: {}{}", quoted(word), all_words, usb_host_option_names());
}

std::string empty_value_message(std::string_view key) {
    if (key == "serial" || key == "product")
        return fmt::format(
            "{}= has no value: write the text that \"longcord devices\" shows, with "
            "no blank after =",
            key);
    return fmt::format("{}= has no value: write it right after =, without a blank", key);
}

std::string bad_class_message(std::string_view value) {
    const auto hint = device_class_hint(value);
    if (!hint.empty())
        return fmt::format("{} is no class: write {}", quoted(value), hint);
    return fmt::format(
        "{} is no class: write one of {}, or two hex digits", quoted(value), device_class_names());
}

std::string bad_number_message(std::string_view key, std::string_view value, unsigned highest) {
    if (key == "port" && PlacePattern::read(value))
        return fmt::format(
            "port= is the port in the guest, not a place: write a number from 1 to {}", highest);
    return fmt::format(
        "{}={} is out of range: write a number from 1 to {}", key, printable(value), highest);
}

} // namespace longcord
