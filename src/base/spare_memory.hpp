// SPDX-License-Identifier: MIT
// What a service needs to start, or to log in by SSH, it needs seldom after that: dynamic linking,
// YAML, key exchange. The memory of that is better spent otherwise.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace longcord {

/// When there was nothing to do for 2 s it gives free heap back to the kernel, and takes all code
/// out of this process' page tables: what is in use comes back from the page cache by itself, and
/// the rest need not be kept. Costs well below a millisecond.
class SpareMemory {
  public:
    explicit SpareMemory(boost::asio::io_context& loop);

    /// Something is being done: 2 s from now.
    void soon();

  private:
    boost::asio::steady_timer calm_;
};

} // namespace longcord
