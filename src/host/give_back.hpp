// SPDX-License-Identifier: MIT
// Before the package is removed: every device leaves its VM, every import of ours is detached, and
// vhci is as the kernel had it (`longcord-host --give-back`). It is the service without rules,
// links and sockets: the same sources and the same planner, which is told that nothing is to be
// kept. No link says that a stream still flows, so vhci lets go of imports before QEMU is told.
//
// A removal must not hang on a VM that does not answer: after `limit` the imports that are left are
// detached regardless, which needs nobody's answer, and the rest is named.
#pragma once

#include "config/host_config.hpp"
#include "host/executor.hpp"
#include "host/kernel_source.hpp"
#include "host/machine_source.hpp"
#include "host/pve_source.hpp"

#include <boost/asio/steady_timer.hpp>

namespace longcord {

class GiveBack {
  public:
    static constexpr milliseconds limit{20'000};

    GiveBack(
        asio::io_context& loop, Roots roots, HostConfig config, std::filesystem::path config_file);

    /// Ends the loop when all is given back, or at the limit.
    void start();
    /// What is not given back, a sentence each. Empty: everything is.
    std::vector<std::string> left() const;

  private:
    void planned();
    Task<> end_at_the_limit();

    asio::io_context& loop_;
    Roots roots_;
    HostConfig config_;
    WorkerPool pool_;
    Journal journal_;
    Reconciler reconciler_;
    NodeWatch nodes_;
    VmSessions sessions_;
    OpenRequests opens_;
    StreamDialer dialer_;
    Importer importer_;
    HostUseSource uses_;
    Executor executor_;
    KernelSource kernel_;
    IntentStore intents_;
    RulesBook rules_;
    VmRoster roster_;
    MachineSource machines_;
    PveSource pve_;
    asio::steady_timer timer_;
};

/// The whole of `longcord-host --give-back`: its exit status. Prints what it does.
int give_back(const Roots& roots, const std::filesystem::path& config_file);

} // namespace longcord
