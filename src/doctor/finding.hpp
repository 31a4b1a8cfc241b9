// SPDX-License-Identifier: MIT
// What a check found. `bad` keeps devices from their VMs; `warning` may one day.
#pragma once

#include <string>
#include <vector>

namespace longcord {

struct Finding {
    enum class Level { good, warning, bad };

    std::string subject; ///< "kernel module tls", "sshd", "VM 100"
    Level level = Level::good;
    std::string what; ///< a clause: "is not loaded"
    std::string todo; ///< what to do next; empty where nothing is to be done

    bool operator==(const Finding&) const = default;
};

using Findings = std::vector<Finding>;

inline Finding good(std::string subject, std::string what) {
    return {std::move(subject), Finding::Level::good, std::move(what), {}};
}
inline Finding warning(std::string subject, std::string what, std::string todo) {
    return {std::move(subject), Finding::Level::warning, std::move(what), std::move(todo)};
}
inline Finding bad(std::string subject, std::string what, std::string todo) {
    return {std::move(subject), Finding::Level::bad, std::move(what), std::move(todo)};
}

} // namespace longcord
