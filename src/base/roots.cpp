// SPDX-License-Identifier: MIT
#include "base/roots.hpp"

#include <cstdlib>

namespace longcord {

Roots Roots::from_environment() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read once, before any thread exists
    const char* root = std::getenv("LONGCORD_ROOT");
    return root && *root ? Roots{root} : Roots{};
}

} // namespace longcord
