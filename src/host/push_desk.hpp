// SPDX-License-Identifier: MIT
// Pis without our package: a machine with stock usbipd and ssh says `connect BUSID` or `disconnect
// BUSID` with its key. Its usbipd is dialled at the address that the login came from (or the one
// set in host.yaml). What was pushed is remembered over a restart of the service, since nobody says
// it again.
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "config/host_config.hpp"
#include "host/plain_servers.hpp"
#include "link/message.hpp"
#include "link/preface.hpp"
#include "link/push_command.hpp"
#include "pairing/key_folders.hpp"

#include <map>
#include <memory>
#include <set>
#include <vector>

namespace longcord {

class PushDesk {
  public:
    /// A device that nobody has an answer for by then is reported as it stands.
    static constexpr milliseconds outcome_limit{15'000};

    PushDesk(
        asio::io_context& loop, Roots roots, WorkerPool& pool, const HostConfig& config,
        PlainServers& servers, Reconciler& reconciler, Journal& journal);

    /// What was pushed before the service was started anew.
    Task<> resume();
    /// One command of one login.
    Task<Done> push(Preface preface);
    /// A Pi was unpaired.
    void forget(const std::string& pi);
    /// These were paired at `began`, as of another node too, or from before a restart: what was
    /// pushed with a key that lets nobody in any more is taken back. Returns whose it was and who
    /// is not paired at all now.
    std::set<std::string> keep_only(const PairedKeys& paired, TimePoint began);
    /// Where a place stands has changed.
    void changed(const Place& place);

  private:
    struct Waiter {
        explicit Waiter(asio::io_context& loop, Place at) : place(std::move(at)), timer(loop) {}
        Place place;
        asio::steady_timer timer;
    };

    bool lost_its_key(const std::string& pi, const PairedKeys& paired, TimePoint began) const;
    Task<Done> connect(Place place, Address server);
    Task<Done> outcome_of(Place place);
    Task<> save();

    asio::io_context& loop_;
    std::filesystem::path file_;
    WorkerPool& pool_;
    const HostConfig& config_;
    PlainServers& servers_;
    Reconciler& reconciler_;
    Journal& journal_;
    std::vector<std::shared_ptr<Waiter>> waiters_;
    struct Pusher {
        std::string key;   ///< its fingerprint; empty: not known
        TimePoint since{}; ///< when it was let in with it last
    };
    std::map<std::string, Pusher> pushers_; ///< by Pi
    std::set<std::string> paired_before_;   ///< as of the latest look at the keys
};

} // namespace longcord
