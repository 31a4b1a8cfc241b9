// SPDX-License-Identifier: MIT
// When the host may have begun or ended to use one of its own devices: a block device came, went or
// changed (LVM, md, dm), something was mounted, unmounted or taken for swap, a network interface
// went up, down or into a bridge. An event only says that it is worth while to look again.
#pragma once

#include "base/roots.hpp"
#include "base/task.hpp"
#include "base/unique_fd.hpp"
#include "base/wait_set.hpp"

#include <memory>

#include <boost/asio/io_context.hpp>

namespace longcord {

class HostUseEvents {
  public:
    /// Below a root of a test's own the kernel says nothing. A source that cannot be opened is
    /// silent: whoever waits for the host looks again from time to time anyway.
    HostUseEvents(asio::io_context& loop, const Roots& roots);
    ~HostUseEvents();

    Task<> next();

  private:
    struct Sources;
    void drain();

    WaitSet set_;
    std::unique_ptr<Sources> sources_;
};

} // namespace longcord
