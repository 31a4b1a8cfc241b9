// SPDX-License-Identifier: MIT
// A World of any size, for what grows with it: many Pis with many devices, and VMs that want them.
#pragma once

#include "plan/world.hpp"

namespace longcord::test {

struct Size {
    unsigned vms, pis, devices;
};

/// Every VM runs, has eight rules and a controller with nothing in it; every Pi is linked and has
/// listed its devices.
World big_town(const Size& size, TimePoint now);

} // namespace longcord::test
