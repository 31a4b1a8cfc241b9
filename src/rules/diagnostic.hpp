// SPDX-License-Identifier: MIT
// What is wrong with a rules file, where, and what to write instead.
#pragma once

#include <string>
#include <string_view>

namespace longcord {

struct Diagnostic {
    /// A note is worth knowing and nothing to repair.
    enum class Severity { note, warning, error };

    Severity severity = Severity::error;
    unsigned line = 1;   ///< from 1
    unsigned column = 1; ///< from 1, in characters, a tab being one
    std::string message;

    bool operator==(const Diagnostic&) const = default;
};

std::string_view to_string(Diagnostic::Severity severity) noexcept;

/// "100.usb.conf:3:7: error: message", which editors can jump to.
std::string format_diagnostic(std::string_view file, const Diagnostic& diagnostic);

} // namespace longcord
