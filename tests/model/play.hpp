// SPDX-License-Identifier: MIT
// Lives a life: what happens is done to the machines outside, what they say reaches the World as
// the sources of longcord-host would write it, the planner plans, and its actions are under way
// until a happening ends them. Every plan and every state outside is held against the laws; at the
// end faults stop, everything is heard and done, and the World must come to rest as its rules say.
#pragma once

#include "happening.hpp"
#include "outside.hpp"
#include "plan/planner.hpp"

#include <array>
#include <string>
#include <vector>

namespace longcord::model {

class Play {
  public:
    Play();

    /// The first law that was broken, in words; empty: none.
    std::string run(const Life& life);

    std::size_t plans() const noexcept { return plans_; }
    /// How many actions of each kind were begun, by Action::index().
    const std::array<std::size_t, std::variant_size_v<Action>>& begun() const noexcept {
        return begun_;
    }
    /// What was done and said, a line each; for people.
    const std::vector<std::string>& log() const noexcept { return log_; }
    bool keep_log = false;

  private:
    struct Running {
        Action action;
        bool attached = false; ///< an import that the kernel has already
    };

    void happen(const Happening& one);
    void happen_to_pi(const Happening& one);
    void happen_to_import(const Happening& one);
    void happen_here(const Happening& one);
    void happen_to_vm(const Happening& one);
    void decide(const Happening& one);
    void restart(std::uint32_t done_all_the_same);

    // What is heard.
    void link(const std::string& pi);
    void rescan(const std::string& server);
    void plain_stream_ended(const Place& place);
    bool tell(const std::string& who); ///< false: there is nothing to tell
    void read_vhci();

    // What becomes of actions.
    void half(std::size_t number);
    void end(std::size_t number, std::uint32_t how);
    void end_session(unsigned vmid, std::uint32_t how);
    Result<> end_import(Running& running, std::uint32_t how);
    Result<> can_import(const ImportDevice& action);
    Result<> attach(const ImportDevice& action);
    Result<> end_detach(const DetachImport& action, std::uint32_t how);
    Result<> end_look_at_use(const LookAtUse& action, std::uint32_t how);
    Result<> in_qemu(const Action& action); ///< does it
    void ended(const Action& action, const Result<>& result);

    void turn();
    void come_to_rest();
    bool hear_and_do_everything(); ///< false: there was nothing left
    void note(std::string line);
    void broken(std::string law);

    Outside outside_;
    World world_;
    TimePoint now_{std::chrono::hours(1)};
    std::optional<TimePoint> wake_;
    std::vector<Running> running_;
    std::size_t plans_ = 0;
    std::array<std::size_t, std::variant_size_v<Action>> begun_{};
    std::size_t changes_ = 0; ///< actions that were more than a look
    std::string broken_;
    std::vector<std::string> log_;
};

} // namespace longcord::model
