// SPDX-License-Identifier: MIT
// Who plays: a few Pis, places and VMs, few enough that they meet all the time. Numbers of
// happenings are taken modulo how many there are.
#pragma once

#include "plan/world.hpp"

#include <array>
#include <string>

namespace longcord::model {

inline constexpr std::array pi_names{"attic", "workbench", "stock"};
constexpr std::string_view plain_pi = "stock"; ///< a server that is not ours
inline constexpr std::array pi_places{"attic/1-1",     "attic/1-1.2",     "attic/2-3",
                                      "workbench/1-1", "workbench/1-1.2", "stock/1-1",
                                      "stock/1-2"};
inline constexpr std::array local_places{"3-4", "3-4.1", "3-4.2", "3-40"};
inline constexpr std::array vmids{100U, 101U, 102U};

template <typename Array> auto one_of(const Array& array, std::uint32_t number) {
    return array[number % array.size()];
}

Place place_at(std::string_view text);
/// Any of all places.
Place any_place(std::uint32_t number);
/// Kinds differ in ids, serial, speed, configurations; one in sixteen is a hub.
Device device_of_kind(std::uint32_t kind);
LocalDevice local_device(const Place& place, std::uint32_t kind);
/// A VM's rules: each bit is a line.
VmRules rules_of(unsigned vmid, std::uint32_t lines);

} // namespace longcord::model
