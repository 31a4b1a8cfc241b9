// SPDX-License-Identifier: MIT
// What a service needs to start, or to log in by SSH, it needs seldom after that: dynamic linking,
// YAML, key exchange. On a small Pi the memory of that is better spent otherwise.
#pragma once

namespace longcord {

/// Gives free heap back to the kernel, and takes all code out of this process' page tables: what is
/// in use comes back from the page cache by itself, page by page, and the rest need not be kept. To
/// be called when there is a while of nothing to do; costs well below a millisecond.
void spare_memory() noexcept;

} // namespace longcord
