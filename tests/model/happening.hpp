// SPDX-License-Identifier: MIT
// What can happen, as values: a life of the service is a list of them, which can be made from a
// seed, written down, read again and made shorter. Any list is a life: what cannot happen (a Pi
// that is not linked says nothing) does not happen.
#pragma once

#include "base/error.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace longcord::model {

enum class What {
    wait,          ///< a: how long
    wake,          ///< until the planner asked to be woken
    tell,          ///< a: who says the next thing that he has to say
    pi_up,         ///< a: Pi
    pi_down,       ///< a: Pi, b: silent or closed
    pi_unpaired,   ///< a: Pi
    pi_plug,       ///< a: place, b: kind of device
    pi_unplug,     ///< a: place
    elsewhere,     ///< a: place: another node has it
    available,     ///< a: place: not any more
    stream_dies,   ///< a: import
    enumerate,     ///< a: import, b: as what
    hub_removes,   ///< a: device whose stream has ended
    guest_selects, ///< a: import: the guest chose its other configuration
    local_plug,    ///< a: place, b: kind
    local_unplug,  ///< a: place
    host_uses,     ///< a: place
    host_leaves,   ///< a: place
    usb_line,      ///< a: place, b: there or not
    vm_start,      ///< a: VM, b: state
    vm_stop,       ///< a: VM
    vm_state,      ///< a: VM, b: state
    vm_lock,       ///< a: VM, b: lock
    vm_controller, ///< a: VM, b: there or not, and whether one may be added
    hand_del,      ///< a: VM, b: device: somebody types device_del
    script_plugs,  ///< a: VM, b: place: the blog's script plugs it
    lets_go,       ///< a: VM, b: device: QEMU lost it
    rules,         ///< a: VM, b: which lines
    attach,        ///< a: place, b: VM, and by force
    detach,        ///< a: place
    resume,        ///< a: place
    quiesce,       ///< a: VM
    release,       ///< a: VM
    foreign,       ///< a: port: somebody else attaches there
    foreign_gone,  ///< a: port
    half,          ///< a: action: an import is attached, and not over yet
    end,           ///< a: action, b: how
    restart,       ///< b: which actions in flight were done all the same, whose rules are unread
};

struct Happening {
    What what{};
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    bool together = false; ///< the next comes in the same turn of the loop, before the planner

    bool operator==(const Happening&) const = default;
};

using Life = std::vector<Happening>;

/// The same seed and length, the same life, on every machine.
Life random_life(std::uint32_t seed, std::size_t length);

/// One happening a line: "pi_plug 3 17", with a "+" behind where the next comes in the same turn.
/// Lines that begin with # are comments.
std::string format_life(const Life& life);
Result<Life> parse_life(std::string_view text);

/// A shorter life for which `fails` still says true, by leaving out pieces: ever smaller ones,
/// until no single happening can be left out. `fails(life)` must be true.
template <typename Fails> Life shrunk(Life life, Fails fails) {
    for (std::size_t piece = life.size() / 2; piece > 0;) {
        bool shorter = false;
        for (std::size_t from = 0; from < life.size();) {
            Life without = life;
            const auto first = without.begin() + static_cast<std::ptrdiff_t>(from);
            const auto count = std::min(piece, life.size() - from);
            without.erase(first, first + static_cast<std::ptrdiff_t>(count));
            if (fails(without)) {
                life = std::move(without);
                shorter = true;
            } else {
                from += piece;
            }
        }
        if (!(shorter && piece == 1))
            piece /= 2;
    }
    return life;
}

} // namespace longcord::model
