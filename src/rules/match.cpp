// SPDX-License-Identifier: MIT
#include "rules/match.hpp"

#include "base/text.hpp"
#include "rules/device_class.hpp"
#include "rules/suggest.hpp"

#include <algorithm>

namespace longcord {

/// Many devices pad their strings with blanks that nobody sees.
static bool same_text(const std::string& wanted, const std::string& found) noexcept {
    return trim(wanted) == trim(found);
}

static bool has_class(const Device& device, std::uint8_t code) noexcept {
    return device.device_class.code == code ||
           std::any_of(
               device.interfaces.begin(), device.interfaces.end(),
               [&](const auto& interface) { return interface.code == code; });
}

static bool covers_here(const Rule& rule, const Subject& subject) noexcept {
    return rule.place.covers(subject.device.place, subject.device.controller, subject.devpath);
}

static bool covers_peer(const Rule& rule, const Subject& subject) noexcept {
    return subject.peer != nullptr &&
           rule.place.covers(*subject.peer, subject.device.controller, subject.peer_devpath);
}

bool matches(const Rule& rule, const Subject& subject) noexcept {
    const auto& device = subject.device;
    return (covers_here(rule, subject) || covers_peer(rule, subject)) &&
           (!rule.id || *rule.id == device.id) &&
           (!rule.serial || same_text(*rule.serial, device.serial)) &&
           (!rule.product || same_text(*rule.product, device.product)) &&
           (!rule.device_class || has_class(device, *rule.device_class));
}

static std::string place_reason(const Rule& rule, const Subject& subject) {
    const auto& pattern = rule.place;
    const auto at = subject.device.place.to_string();
    const auto wanted = pattern.to_string();
    if (pattern.kind == PlacePattern::Kind::anywhere)
        return "plugged at " + at + ", and any place will do";
    if (covers_here(rule, subject))
        return at == wanted ? "plugged at " + at : "plugged at " + at + ", in " + wanted;
    if (covers_peer(rule, subject))
        return fmt::format(
            "plugged at {}, the other half of {}, in {}", at, subject.peer->to_string(), wanted);
    if (pattern.pi != subject.device.place.pi)
        return fmt::format(
            "it is plugged into {}, not into {}",
            subject.device.place.is_local() ? "this host" : "the Pi " + subject.device.place.pi,
            pattern.is_of_pi() ? "the Pi " + pattern.pi : "this host");
    if (!pattern.controller.empty() && subject.device.controller != pattern.controller)
        return subject.device.controller.empty()
                   ? "its controller is not known"
                   : fmt::format(
                         "its controller is {}, not {}", subject.device.controller,
                         pattern.controller);
    if (pattern.kind == PlacePattern::Kind::devpath && subject.devpath.empty())
        return "its DEVPATH is not known";
    return fmt::format("{} is neither {} nor below it", at, wanted);
}

static std::string class_reason(std::uint8_t wanted, const Device& device) {
    const auto wanted_name = device_class_name(wanted);
    if (has_class(device, wanted))
        return "class " + wanted_name;
    std::string found;
    const auto add = [&](std::uint8_t code) {
        const auto name = device_class_name(code);
        if (code != 0 && found.find(name) == found.npos)
            found += (found.empty() ? "" : ", ") + name;
    };
    add(device.device_class.code);
    for (const auto& interface : device.interfaces)
        add(interface.code);
    return found.empty() ? "it shows no class, and " + wanted_name + " is wanted"
                         : fmt::format("its classes are {}, not {}", found, wanted_name);
}

static std::string text_reason(
    std::string_view what, const std::string& wanted, const std::string& found) {
    if (same_text(wanted, found))
        return fmt::format("{} is {}", what, quoted(found));
    if (found.empty())
        return fmt::format("it has no {}, and {} is wanted", what, quoted(wanted));
    const bool only_case = ascii_lower(wanted) == ascii_lower(found);
    return fmt::format(
        "{} is {}, not {}{}", what, quoted(found), quoted(wanted),
        only_case ? " (upper and lower case differ)" : "");
}

Verdict match(const Rule& rule, const Subject& subject) {
    const auto& device = subject.device;
    const bool there = covers_here(rule, subject) || covers_peer(rule, subject);
    if (!there)
        return {false, place_reason(rule, subject)};
    Verdict verdict{matches(rule, subject), {}};
    const auto say = [&](bool fits, const std::string& words) {
        if (fits == verdict.matches) // of a rule that does not match, only what does not
            verdict.reason += (verdict.reason.empty() ? "" : "; ") + words;
    };
    say(true, place_reason(rule, subject));
    if (rule.id)
        say(*rule.id == device.id,
            *rule.id == device.id
                ? "it is " + device.id.to_string()
                : fmt::format("it is {}, not {}", device.id.to_string(), rule.id->to_string()));
    if (rule.serial)
        say(same_text(*rule.serial, device.serial),
            text_reason("serial", *rule.serial, device.serial));
    if (rule.product)
        say(same_text(*rule.product, device.product),
            text_reason("product", *rule.product, device.product));
    if (rule.device_class)
        say(has_class(device, *rule.device_class), class_reason(*rule.device_class, device));
    return verdict;
}

Strength strength(const Rule& rule) noexcept {
    Strength strength;
    strength.path_length = static_cast<unsigned>(rule.place.path.ports.size());
    strength.qualifiers = static_cast<unsigned>(rule.id.has_value()) +
                          static_cast<unsigned>(rule.serial.has_value()) +
                          static_cast<unsigned>(rule.product.has_value()) +
                          static_cast<unsigned>(rule.device_class.has_value());
    return strength;
}

bool covers(const Rule& wide, const Rule& narrow) noexcept {
    const auto implied = [](const auto& wanted, const auto& given) {
        return !wanted || wanted == given;
    };
    return wide.place.covers(narrow.place) && implied(wide.id, narrow.id) &&
           implied(wide.serial, narrow.serial) && implied(wide.product, narrow.product) &&
           implied(wide.device_class, narrow.device_class);
}

bool overlap(const Rule& a, const Rule& b) noexcept {
    const auto compatible = [](const auto& one, const auto& other) {
        return !one || !other || one == other;
    };
    return (a.place.covers(b.place) || b.place.covers(a.place)) && compatible(a.id, b.id) &&
           compatible(a.serial, b.serial) && compatible(a.product, b.product);
    // Classes never exclude each other: a device may have interfaces of several.
}

} // namespace longcord
