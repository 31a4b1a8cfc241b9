// SPDX-License-Identifier: MIT
// What this host does with its own devices, as a source of the World: read when the planner asks
// for it, and anew when something happened that may have changed it.
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "host/reconciler.hpp"
#include "proxmox/open_node.hpp"
#include "usb/host_use_events.hpp"

namespace longcord {

class HostUseSource {
  public:
    HostUseSource(
        asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
        NodeWatch& nodes);

    Task<Result<>> look(LookAtUse action);
    /// Follows the host's own events.
    Task<> run();

  private:
    Roots roots_;
    WorkerPool& pool_;
    Reconciler& reconciler_;
    NodeWatch& nodes_;
    HostUseEvents events_;
};

} // namespace longcord
