// SPDX-License-Identifier: MIT
#include "rules/bad_place.hpp"

#include "base/text.hpp"
#include "rules/place_pattern.hpp"
#include "rules/suggest.hpp"
#include "usb/device.hpp"

#include <algorithm>

namespace longcord {

namespace {

/// Why it is no place (may be empty), and what to write (empty: no idea).
struct Advice {
    std::string why;
    std::string write;
};

constexpr auto npos = std::string_view::npos;

bool consists_of(std::string_view text, std::string_view characters) {
    return text.find_first_not_of(characters) == npos;
}

bool is_number(std::string_view text) {
    return !text.empty() && consists_of(text, "0123456789");
}

bool is_place(std::string_view text) {
    return PlacePattern::read(text).has_value();
}

/// "3-4-1", "3.4.1", "3:4", "3/4", "3_4", "3-4,": numbers and any separators.
std::string from_numbers(std::string_view text) {
    std::string place;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool digit = is_digit(c);
        const bool begins = place.empty() || place.back() == '.';
        if (c == '0' && begins && i + 1 < text.size() && is_digit(text[i + 1]))
            continue; // a place has no leading zeros
        if (digit || (!place.empty() && place.back() != '.'))
            place += digit ? c : '.';
    }
    while (place.ends_with('.'))
        place.pop_back();
    if (const auto first = place.find('.'); first != place.npos)
        place[first] = '-';
    return place;
}

/// "pci-0000:00:14.0-usb-0:4.1:1.0", "...-usbv2-0:4.1": udev's ID_PATH, and /dev/serial/by-path.
std::string from_id_path(std::string_view text) {
    const auto usb = text.find("-usb");
    const auto bus = usb == npos ? npos : text.find("-0:", usb);
    if (bus == npos)
        return {};
    const auto ports = text.substr(bus + 3);
    return std::string(text.substr(0, usb)) + '/' + std::string(ports.substr(0, ports.find(':')));
}

/// "00:14.0/4.1" as lspci prints it, "0000:00:14.0/4.1" as sysfs does, and a controller behind a
/// bridge, which udev names by both.
std::string from_pci_address(std::string_view text) {
    if (const auto pci = text.rfind("pci-"); pci != npos)
        text.remove_prefix(pci + 4);
    const auto colons = std::count(text.begin(), text.end(), ':');
    return (colons == 1 ? "pci-0000:" : "pci-") + std::string(text);
}

/// The DEVPATH with every hub on the way: usb3/3-4.1 becomes usb3/3-4/3-4.1.
std::string whole_devpath(std::string_view text) {
    const auto root = text.find("/usb");
    const auto behind = root == npos ? npos : text.find('/', root + 1);
    const auto place = Place::parse(text.substr(text.rfind('/') + 1));
    if (behind == npos || !place)
        return {};
    std::string path(text.substr(0, behind));
    auto port = *place;
    port.path.ports.clear();
    for (const unsigned number : place->path.ports) {
        port.path.ports.push_back(number);
        path += '/' + port.to_string();
    }
    return path;
}

Advice advise_path(std::string_view text) {
    constexpr std::string_view interface = "that is one interface of a device, and a rule names "
                                           "the port";
    Advice advice;
    if (text.starts_with("/sys/"))
        text.remove_prefix(4);
    while (text.ends_with('/'))
        text.remove_suffix(1);
    auto last = text.substr(text.rfind('/') + 1);
    if (const auto colon = last.find(':'); colon != npos && Place::parse(last.substr(0, colon))) {
        advice.why = interface;
        text = text.substr(0, text.rfind('/'));
        last = last.substr(0, colon);
    }
    for (const auto& guess : {std::string(text), whole_devpath(text), std::string(last)})
        if (advice.write.empty() && is_place(guess) && !is_pi_name(guess))
            advice.write = guess;
    if (advice.write.empty())
        advice.write = "the DEVPATH of a port, such as /devices/pci0000:00/0000:00:14.0/usb3/3-1";
    return advice;
}

Advice advise_controller(std::string_view text) {
    while (text.ends_with('/'))
        text.remove_suffix(1);
    if (is_controller_name(text))
        return {"the port is missing", std::string(text) + "/1"};
    for (const auto& guess :
         {from_id_path(text), from_pci_address(text), from_pci_address(from_id_path(text))})
        if (is_place(guess))
            return {{}, guess};
    return {"a controller is written as in \"longcord devices\"", "pci-0000:00:14.0/4.1"};
}

Advice advise_number(std::string_view text) {
    constexpr auto why = "a port is bus, dash, port";
    if (text.size() == 1)
        return {why, std::string(text) + "-1 for port 1 of that bus"};
    return {why, std::string(text.substr(0, 1)) + '-' + std::string(text.substr(1))};
}

/// Of a text that should name a port of one machine.
Advice advise_port(std::string_view text) {
    const auto before = text.substr(0, text.empty() ? 0 : text.size() - 1);
    if (text.starts_with('/') && text.find('/', 1) != npos)
        return advise_path(text);
    if (text.starts_with("pci-") || text.starts_with("platform-") ||
        (std::count(text.begin(), text.end(), ':') > 0 && text.find('/') != npos))
        return advise_controller(text);
    if (is_number(text))
        return advise_number(text);
    if (text.ends_with('-') && is_number(before))
        return {"the port is missing", std::string(text) + "1 for port 1 of that bus"};
    if (text.ends_with("-*") && is_number(text.substr(0, text.size() - 2)))
        return {
            "a whole bus has no name", std::string(before) + "1, and a line for each other port"};
    if (const auto comma = text.find_first_of(",;"); comma != npos && comma + 1 < text.size()) {
        const auto second = text.substr(comma + 1);
        if (is_place(text.substr(0, comma)) && is_place(second))
            return {
                "a rule has one place", std::string(text.substr(0, comma)) + " and " +
                                            std::string(second) + " on a line each"};
    }
    if (const auto colon = text.find(":1."); colon != npos && is_place(text.substr(0, colon)))
        return {
            "that is one interface of a device, and a rule names the port",
            std::string(text.substr(0, colon))};
    const auto guess = from_numbers(text);
    if (!consists_of(text, "0123456789-.,;:/_*"))
        return {};
    if (is_place(guess))
        return {text.ends_with('*') ? "a port always stands for all below it" : "", guess};
    if (text.find('0') != npos)
        return {"buses and ports are counted from 1", "3-4.1"};
    return {};
}

/// What `name` must be to name a Pi; empty: it cannot be one.
std::string as_pi_name(std::string_view name) {
    auto guess = ascii_lower(name.substr(0, name.find('.')));
    std::replace(guess.begin(), guess.end(), '_', '-');
    return is_pi_name(guess) ? guess : std::string();
}

std::string name_reason(std::string_view name) {
    if (name.find('.') != npos)
        return "a Pi is named as it was paired, not as a network host";
    return name.find('_') != npos ? "a Pi's name has letters, digits and - only"
                                  : "a Pi's name is in lower case";
}

/// Of a text that should name a Pi, or a port of one.
Advice advise_pi(std::string_view text) {
    constexpr std::size_t longest = 31;
    const auto slash = text.find('/');
    const auto name = text.substr(0, slash);
    const auto rest = slash == npos ? std::string_view() : text.substr(slash + 1);
    const bool address =
        std::count(name.begin(), name.end(), '.') == 3 && consists_of(name, "0123456789.");
    if (address)
        return {
            "a Pi is named as it was paired, not by its address",
            "a name that \"longcord pis\" lists"};
    if (name == "*" && slash != npos)
        return {
            "* stands only in */*", is_place(rest) ? std::string(rest) + " for this host, or the "
                                                                         "Pi's name in place of *"
                                                   : "*/*"};
    if (const auto at = text.find_first_of(":.@,\\"); at != npos && slash == npos &&
                                                      is_pi_name(text.substr(0, at)) &&
                                                      Place::parse(text.substr(at + 1)))
        return {
            "a slash stands behind a Pi's name",
            std::string(text.substr(0, at)) + '/' + std::string(text.substr(at + 1))};
    if (const auto fixed = as_pi_name(name); !fixed.empty()) {
        const auto why = fixed == name ? std::string() : name_reason(name);
        if (rest.empty() || is_place(fixed + '/' + std::string(rest)))
            return {why, rest.empty() ? fixed : fixed + '/' + std::string(rest)};
        auto advice = advise_port(rest);
        if (!advice.write.empty())
            advice.write = fixed + '/' + advice.write;
        return advice;
    }
    if (name.size() > longest &&
        consists_of(ascii_lower(name), "abcdefghijklmnopqrstuvwxyz0123456789-"))
        return {fmt::format("a Pi's name has at most {} characters", longest), {}};
    return {};
}

} // namespace

std::string guess_usb_id(std::string_view text) {
    auto lower = ascii_lower(text);
    for (std::size_t at; (at = lower.find("0x")) != lower.npos;)
        lower.erase(at, 2);
    constexpr std::size_t middle = 4;
    if (lower.size() == 2 * middle + 1 && std::string_view("-/.,;").find(lower[middle]) != npos)
        lower[middle] = ':';
    return UsbId::parse(lower) ? lower : std::string();
}

std::string bad_place_message(std::string_view text) {
    if (text.empty())
        return "the place is missing: write !3-4.2 to leave out port 3-4.2";
    if (text == "*" || text == "**")
        return quoted(text) + " is no place: write */* for any place, here and on every Pi";
    if (text.starts_with("/dev/"))
        return quoted(text) + " is a device file: write the port it is plugged into, which "
                              "\"longcord devices\" shows, such as 3-4 or workbench/1-1.2";
    if (const auto id = guess_usb_id(text); !id.empty())
        return fmt::format("a rule begins with a place: write */* {} for it in any place", id);
    if (text.find('=') != npos && !text.starts_with('/'))
        return fmt::format(
            "a rule begins with a place: write */* {} for any place", printable(text));
    auto advice = advise_pi(text);
    if (advice.write.empty() && advice.why.empty())
        advice = advise_port(text);
    if (advice.write.empty())
        advice.write =
            "3-4 (a port of this host), workbench/1-1.2 (a port of a Pi), workbench (all "
            "of a Pi) or */* (anywhere)";
    return fmt::format(
        "{} is no place{}: write {}", quoted(text),
        advice.why.empty() ? "" : " (" + advice.why + ')', printable(advice.write));
}

} // namespace longcord
