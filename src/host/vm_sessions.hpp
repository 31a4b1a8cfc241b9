// SPDX-License-Identifier: MIT
// QMP sessions, one at a time for a VM and any number of VMs at once. What is asked of a VM while a
// session is under way joins it while it is young, where there is nothing to do before;
// the rest goes into the next one, all of it together: the socket is held as rarely and as briefly
// as can be.
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "host/journal.hpp"
#include "host/reconciler.hpp"
#include "proxmox/open_node.hpp"
#include "qmp/client.hpp"

#include <map>
#include <vector>

namespace longcord {

class VmSessions {
  public:
    VmSessions(
        asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
        Journal& journal, NodeWatch& nodes);

    /// LookAtVm, PlugDevice, UnplugDevice.
    void enqueue(unsigned vmid, Action action);

  private:
    struct Asked {
        Action action;
        TimePoint begun; ///< when a session took it up
    };
    struct Queue {
        std::vector<Action> waiting;
        bool running = false;
    };

    Task<> serve(unsigned vmid);
    Task<> run_batch(unsigned vmid, std::vector<Action> batch);
    Task<Result<>> close_host_drivers_out(UnplugDevice unplug);
    Task<std::vector<Asked>> prepared(std::vector<Action> batch);
    std::vector<VmCommand> join(unsigned vmid, std::vector<Asked>& session);
    void end(const Asked& asked, const Result<>& result);
    std::set<std::string> nodes_open(int pid, const VmView& view) const;
    Result<> verified(
        const Action& action, const Result<>& outcome, const Result<VmView>& view,
        unsigned vmid) const;

    asio::io_context& loop_;
    Roots roots_;
    WorkerPool& pool_;
    Reconciler& reconciler_;
    Journal& journal_;
    NodeWatch& nodes_;
    std::map<unsigned, Queue> queues_;
};

} // namespace longcord
