// SPDX-License-Identifier: MIT
#include "base/prometheus.hpp"

#include "base/text.hpp"

#include <fmt/core.h>

namespace longcord {

/// A backslash, a quote and a line feed are escaped; other control characters never get here.
static std::string escaped(std::string_view value) {
    std::string text;
    for (const char c : printable(value)) {
        if (c == '\\' || c == '"')
            text += '\\';
        text += c;
    }
    return text;
}

void PrometheusText::metric(std::string_view name, std::string_view type, std::string_view help) {
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

void PrometheusText::value(std::string_view name, Labels labels, double value) {
    text_ += name;
    bool first = true;
    for (const auto& [key, word] : labels) {
        text_ += fmt::format("{}{}=\"{}\"", first ? "{" : ",", key, escaped(word));
        first = false;
    }
    text_ += fmt::format("{} {}\n", first ? "" : "}", value);
}

} // namespace longcord
