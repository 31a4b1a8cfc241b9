// SPDX-License-Identifier: MIT
// What the serial ports keep across reboots, in /var/lib/longcord: serial_ports.json (which place
// has which TCP port) and serial_allow.json (who was let in by hand). Replaced by rename.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "serial/allow_list.hpp"
#include "serial/port_numbers.hpp"

#include <string_view>

namespace longcord {

constexpr std::size_t max_kept_ports = 4'096;
constexpr std::size_t max_serial_allow = 256;

/// {"ports":[{"place":"platform-fe9c0000.xhci/1.2","port":4000}]}
std::string format_port_numbers(const PortNumbers& numbers);
/// invalid: it is no such text, a port stands there twice, or there are more than max_kept_ports.
Result<PortNumbers> parse_port_numbers(std::string_view text);

/// {"allow":["192.168.1.50","local-net"]}
std::string format_allow_list(const AllowList& list);
Result<AllowList> parse_allow_list(std::string_view text);

/// A missing file is an empty one. invalid: somebody has written into it; the message names it.
Result<PortNumbers> load_port_numbers(const Roots& roots);
Result<> save_port_numbers(const Roots& roots, const PortNumbers& numbers);
Result<AllowList> load_allow_list(const Roots& roots);
Result<> save_allow_list(const Roots& roots, const AllowList& list);

} // namespace longcord
