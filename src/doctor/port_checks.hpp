// SPDX-License-Identifier: MIT
// Can this node reach the ports where Pis serve their devices? A link that is up says nothing of
// it: it goes the other way. A firewall in between is the usual reason for devices that stay
// "importing".
#pragma once

#include "base/clock.hpp"
#include "doctor/finding.hpp"

#include <nlohmann/json_fwd.hpp>

namespace longcord {

/// A stream has no more patience with a Pi either.
constexpr milliseconds port_patience{2'000};

/// `status`: the reply of longcord-host. Every linked Pi and plain server is tried at the same
/// time, and each connection closed again at once.
Findings check_pi_ports(const nlohmann::json& status, milliseconds patience = port_patience);

} // namespace longcord
