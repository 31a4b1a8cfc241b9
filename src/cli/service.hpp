// SPDX-License-Identifier: MIT
// Finding the service to ask: the host's or the Pi's, whichever runs here.
#pragma once

#include "cli/exit_code.hpp"
#include "control/client.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace longcord {

enum class Role { host, pi };

/// Options that every verb has.
struct Common {
    bool json = false;
    std::string on; ///< "host", "pi" or empty: whichever runs
};

/// Of the one service that runs here, or the one that --on names. `only`: the verb is not for both.
Attempt<ControlClient> find_service(const Common& common, std::optional<Role> only = std::nullopt);

/// One request to it.
Attempt<nlohmann::json> ask(
    ControlClient& service, std::string_view verb, const nlohmann::json& args);

} // namespace longcord
