// SPDX-License-Identifier: MIT
// Which rules are in force, of those that were read. A file that does not parse keeps the rules
// that VM had before, also over a restart of the service: the last good text of each VM lies in
// /var/lib/longcord/rules. And rules belong to a VM, not to a number: they apply to the VM whose
// uuid they first applied to, until `longcord rules adopt`.
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "host/journal.hpp"
#include "host/reconciler.hpp"
#include "host/rules_state.hpp"
#include "proxmox/config_watcher.hpp"
#include "rules/parse.hpp"

#include <map>
#include <optional>

namespace longcord {

class RulesBook {
  public:
    RulesBook(
        asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
        Journal& journal);

    /// The last good texts; before the first take().
    Task<> load();
    /// What was read; sets the World's rules. The intents in the World are those of the same look.
    void take(const PveSnapshot& snapshot);
    /// Rules of a machine in host.yaml; nullopt: they have errors, those from before stay.
    void set_machine(unsigned id, RulesState state, std::optional<std::vector<Rule>> rules);
    void drop_machine(unsigned id);

    const std::map<unsigned, RulesState>& states() const noexcept { return states_; }

  private:
    void read(unsigned vmid, const RulesText& file);
    void keep(unsigned vmid, std::optional<std::string> text);
    Task<> write_copies();
    std::string owner_problem(unsigned vmid, const PveSnapshot& snapshot);
    void put_in_force();

    asio::io_context& loop_;
    Roots roots_;
    WorkerPool& pool_;
    Reconciler& reconciler_;
    Journal& journal_;
    std::map<unsigned, std::string> last_good_;
    std::map<unsigned, std::optional<std::string>> to_write_; ///< nullopt: to be removed
    bool writing_ = false;
    std::map<unsigned, RulesState> states_;
    std::map<unsigned, std::vector<Rule>> good_; ///< what applies, if it applies
    std::set<unsigned> strangers_;               ///< written for another VM
    std::map<unsigned, std::vector<Rule>> machines_;
};

} // namespace longcord
