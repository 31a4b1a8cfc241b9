// SPDX-License-Identifier: MIT
#include "plan/machine_id.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>

namespace longcord {

/// FNV-1a, 32 bits: small, and the same on every machine for ever.
static std::uint32_t hash(std::string_view text) {
    std::uint32_t value = 2'166'136'261U;
    for (const char c : text)
        value = (value ^ static_cast<unsigned char>(c)) * 16'777'619U;
    return value;
}

std::map<std::string, unsigned> machine_ids(std::vector<std::string> names) {
    constexpr unsigned range = std::numeric_limits<unsigned>::max() - lowest_machine_id;
    std::sort(names.begin(), names.end());
    std::map<std::string, unsigned> ids;
    std::set<unsigned> taken;
    for (const auto& name : names) {
        unsigned offset = hash(name) % range;
        while (!taken.insert(offset).second)
            offset = (offset + 1) % range;
        ids.emplace(name, lowest_machine_id + offset);
    }
    return ids;
}

std::optional<unsigned> machine_id_of_file(std::string_view name) {
    constexpr std::string_view suffix = ".json";
    if (!name.ends_with(suffix))
        return std::nullopt;
    name.remove_suffix(suffix.size());
    const auto number = parse_decimal(name);
    return number && is_machine(*number) ? number : std::nullopt;
}

std::string with_machine_names(
    std::string_view text, const std::map<unsigned, std::string>& names) {
    constexpr std::string_view vm = "VM ";
    std::string result;
    for (auto at = text.find(vm); at != std::string_view::npos; at = text.find(vm)) {
        at += vm.size();
        result += text.substr(0, at);
        text.remove_prefix(at);
        const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
        const auto number = parse_decimal(digits);
        const auto name = number ? names.find(*number) : names.end();
        if (name == names.end())
            continue;
        result += name->second;
        text.remove_prefix(digits.size());
    }
    return result += text;
}

} // namespace longcord
