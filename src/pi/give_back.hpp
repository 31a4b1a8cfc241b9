// SPDX-License-Identifier: MIT
// Before the package is removed: every exported device goes back to this machine's own drivers
// (`longcord-pi --give-back`). Nothing says which were bound by hand: without the service nobody
// serves those either.
#pragma once

#include "base/roots.hpp"

namespace longcord {

/// Its exit status. Prints what it does. A device that does not answer costs a few times the 5 s
/// after which the kernel gives up a request.
int give_back(const Roots& roots);

} // namespace longcord
