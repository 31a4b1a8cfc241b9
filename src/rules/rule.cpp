// SPDX-License-Identifier: MIT
#include "rules/rule.hpp"

#include "rules/device_class.hpp"
#include "rules/suggest.hpp"

#include <algorithm>

namespace longcord {

static std::string quoted_value(const std::string& value) {
    const auto plain = [](char c) {
        return is_ascii_alnum(c) || std::string_view("._:/+@,-").find(c) != std::string_view::npos;
    };
    if (!value.empty() && std::all_of(value.begin(), value.end(), plain))
        return value;
    std::string text = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\')
            text += '\\';
        text += c;
    }
    return text + '"';
}

std::string format_selection(const Rule& rule) {
    auto text = rule.place.to_string();
    if (rule.id)
        text += ' ' + rule.id->to_string();
    if (rule.serial)
        text += " serial=" + quoted_value(*rule.serial);
    if (rule.product)
        text += " product=" + quoted_value(*rule.product);
    if (rule.device_class)
        text += " class=" + device_class_name(*rule.device_class);
    return text;
}

std::string format_rule(const Rule& rule) {
    auto text = (rule.deny ? "!" : "") + format_selection(rule);
    if (rule.force)
        text += " force";
    if (rule.guest_port)
        text += fmt::format(" port={}", *rule.guest_port);
    if (rule.configuration)
        text += fmt::format(" config={}", *rule.configuration);
    for (const auto& [name, value] : rule.properties)
        text += ' ' + name + '=' + format_property(value);
    return text;
}

bool same_meaning(const Rule& a, const Rule& b) {
    auto here = a;
    here.line = b.line;
    here.column = b.column;
    here.text = b.text;
    return here == b;
}

} // namespace longcord
