// SPDX-License-Identifier: MIT
#include "rules/diagnostic.hpp"

#include <fmt/core.h>

namespace longcord {

std::string_view to_string(Diagnostic::Severity severity) noexcept {
    switch (severity) {
    case Diagnostic::Severity::note:
        return "note";
    case Diagnostic::Severity::warning:
        return "warning";
    case Diagnostic::Severity::error:
        return "error";
    }
    return "?";
}

std::string format_diagnostic(std::string_view file, const Diagnostic& diagnostic) {
    return fmt::format(
        "{}:{}:{}: {}: {}", file, diagnostic.line, diagnostic.column,
        to_string(diagnostic.severity), diagnostic.message);
}

} // namespace longcord
