// SPDX-License-Identifier: MIT
#include "base/core_dumps.hpp"

#include <sys/resource.h>

namespace longcord {

void forbid_core_dumps() noexcept {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none); // lowering one's own limit is always allowed
}

} // namespace longcord
