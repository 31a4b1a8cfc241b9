// SPDX-License-Identifier: MIT
// vhci_hcd's `status` files, in every format the kernel has had. Pure.
// A port belongs to a range: `hs` ports carry devices up to 480 Mbit/s, `ss` ports those above, and
// `attach` finds the hub by the speed it is told, so the port must come from the right range.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

struct VhciPort {
    bool super = false; ///< an `ss` port
    unsigned port = 0;
    enum class State {
        free,
        assigned, ///< attached, the kernel has not enumerated the device yet
        used,
        error,
        not_ready, ///< the controller is not there, or a state that is not known
    } state = State::free;
    // Zero and empty unless used: the kernel prints them in no other state.
    unsigned speed = 0;
    std::uint32_t devid = 0;
    unsigned sockfd = 0; ///< the number `attach` was given; 0 where an old kernel shows a pointer
    /// "5-1": the device on this host. Known at SET_ADDRESS, a moment before sysfs has it.
    std::string local_busid;
    bool operator==(const VhciPort&) const = default;
};

/// One file: `status` or `status.N`. ErrorKind::protocol where it is none.
Result<std::vector<VhciPort>> parse_vhci_status(std::string_view text);

/// Detaching is asynchronous: this is what the caller polls for.
bool is_free(const std::vector<VhciPort>& ports, unsigned port) noexcept;

} // namespace longcord
