// SPDX-License-Identifier: MIT
// The VMs' configurations and rules, as they are in /etc/pve/qemu-server. What this node writes is
// told by inotify at once; what another node writes makes no event, so there is a look every 2 s
// (every 10 s where there is no Proxmox). While /etc/pve is away or does not answer, nothing
// changes: everything stays as last seen.
#pragma once

#include "base/inotify.hpp"
#include "base/roots.hpp"
#include "base/task.hpp"
#include "base/wait_set.hpp"
#include "base/worker_pool.hpp"
#include "proxmox/pve_reader.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace longcord {

struct PveSnapshot {
    bool present = false; ///< this machine is a Proxmox node
    std::map<unsigned, VmConfig> configs;
    RulesTexts rules;
    std::set<unsigned> vmids; ///< of the whole cluster
    UsbMappings mappings;
    std::map<unsigned, std::string> intents; ///< texts of longcord/vm/<VMID>.json
    bool quorate = true;

    bool operator==(const PveSnapshot&) const = default;
};

class ConfigWatcher {
  public:
    /// How long a write of another node can stay unseen.
    static constexpr seconds default_look_every{2};
    /// So much seldomer where there is no /etc/pve: Proxmox may be installed one day.
    static constexpr int elsewhere = 5;
    /// The looks' key in the worker pool: one at a time, however long it hangs.
    static constexpr const char* job_key = "/etc/pve";

    ConfigWatcher(
        asio::io_context& loop, WorkerPool& workers, const Roots& roots,
        milliseconds look_every = default_look_every);

    /// The whole, each time it changed. The first comes once it is known: at once on a healthy node
    /// and where there is no Proxmox at all (present: false); on a node whose pmxcfs is away, when
    /// that is back. Before it, the caller knows nothing of any rule. One caller at a time.
    Task<PveSnapshot> next();

  private:
    std::optional<PveSnapshot> judge(Result<PveContent> seen, TimePoint now);
    TimePoint next_look(TimePoint now) const;
    void tell_trouble(const std::string& what);
    void tell_problems(std::vector<std::string> problems);

    WorkerPool& workers_;
    milliseconds look_every_;
    Inotify inotify_;
    WaitSet set_;
    std::shared_ptr<PveReader> reader_; ///< a look that hangs may outlive us
    StableRules stable_;
    std::optional<PveSnapshot> told_;
    bool trouble_ = false;
    std::vector<std::string> problems_;
};

} // namespace longcord
