// SPDX-License-Identifier: MIT
// Does what the planner asks: in parallel across VMs and devices, one action at a time for a
// device.
#pragma once

#include "host/host_use_source.hpp"
#include "host/importer.hpp"
#include "host/vm_sessions.hpp"

namespace longcord {

class Executor {
  public:
    Executor(
        asio::io_context& loop, Importer& importer, VmSessions& sessions, HostUseSource& uses,
        Reconciler& reconciler, Journal& journal);

    void start(const Action& action);

  private:
    Task<> run(Action action);
    Task<Result<>> perform(Action action);

    asio::io_context& loop_;
    Importer& importer_;
    VmSessions& sessions_;
    HostUseSource& uses_;
    Reconciler& reconciler_;
    Journal& journal_;
};

} // namespace longcord
