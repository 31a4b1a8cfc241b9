// SPDX-License-Identifier: MIT
#include "cli/json_fields.hpp"

#include "base/text.hpp"

#include <cmath>

#include <fmt/core.h>

namespace longcord {

using nlohmann::json;

const json& field(const json& object, const char* key) {
    static const json nothing;
    if (!object.is_object())
        return nothing;
    const auto found = object.find(key);
    return found == object.end() ? nothing : *found;
}

const json& list_field(const json& object, const char* key) {
    static const json nothing = json::array();
    const json& value = field(object, key);
    return value.is_array() ? value : nothing;
}

std::string text_of(const json& value) {
    constexpr std::size_t longest = 4'000; // a sentence with a whole rule line in it, and more
    if (value.is_string())
        return printable(value.get_ref<const std::string&>(), longest);
    if (value.is_number_integer() || value.is_number_unsigned())
        return value.dump();
    return {};
}

std::string text_field(const json& object, const char* key) {
    return text_of(field(object, key));
}

std::optional<double> number_field(const json& object, const char* key) {
    const json& value = field(object, key);
    if (!value.is_number())
        return std::nullopt;
    const auto number = value.get<double>();
    return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

bool flag_field(const json& object, const char* key) {
    const json& value = field(object, key);
    return value.is_boolean() && value.get<bool>();
}

} // namespace longcord
