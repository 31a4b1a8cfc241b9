// SPDX-License-Identifier: MIT
// From channels to servers: the TCP port of each, and what pi.yaml says of it. Pure.
#pragma once

#include "config/pi_config.hpp"
#include "pi/serial_places.hpp"
#include "serial/port_numbers.hpp"
#include "serial/serial_ports.hpp"

namespace longcord {

/// A wish for each channel that has a port; `kept` gets those of new channels. A channel is left
/// out when all ports are given away.
std::vector<SerialWish> serial_wishes(
    const std::vector<SerialChannel>& channels, const SerialConfig& config, PortNumbers& kept);

} // namespace longcord
