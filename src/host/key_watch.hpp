// SPDX-License-Identifier: MIT
// The paired Pis as they stand in the key folders, looked at every 3 s: what another node of the
// cluster writes below /etc/pve makes no event here, and `unpair` has 5 s to end the links of every
// node. (Without /etc/pve only somebody's hands on this machine can have changed them.) A link
// whose key is gone or is another one now ends; the cluster's nodes go into every welcome; the last
// good copies are kept for the time in which pmxcfs is away, and then nothing changes.
#pragma once

#include "base/worker_pool.hpp"
#include "host/link_source.hpp"
#include "pairing/key_folders.hpp"

#include <set>

namespace longcord {

class KeyWatch {
  public:
    static constexpr milliseconds interval{3000};
    static constexpr milliseconds interval_alone{10'000}; ///< there is no /etc/pve
    /// A look that hangs (a cluster that is stuck) is waited for so long; then it is tried again.
    static constexpr milliseconds deadline{10'000};

    KeyWatch(
        asio::io_context& loop, Roots roots, WorkerPool& pool, const HostConfig& config,
        std::string node, LinkSource& links, Journal& journal);

    Task<> run();
    /// At once, because something was changed here.
    void look_now() {
        again_ = true;
        timer_.cancel();
    }
    /// What else depends on a key: told after each look that succeeded what was paired when it
    /// began.
    using OnPaired = std::function<void(const PairedKeys& paired, TimePoint began)>;
    void on_paired(OnPaired tell) { on_paired_ = std::move(tell); }
    /// As of the last look that succeeded.
    const PairedKeys& paired() const noexcept { return paired_; }

    /// What one look brings.
    struct Look {
        bool alone = false;
        PairedKeys paired;
        std::vector<NodeAddress> nodes;
        std::set<std::string> complaints;
        std::string copies; ///< why the copies could not be kept; empty: they were
    };

  private:
    void take(Look look, TimePoint began);
    void complain(const std::set<std::string>& complaints);

    Roots roots_;
    WorkerPool& pool_;
    const HostConfig& config_;
    std::string node_;
    LinkSource& links_;
    Journal& journal_;
    OnPaired on_paired_;
    asio::steady_timer timer_;
    bool again_ = false; ///< asked for, perhaps while a look was under way
    PairedKeys paired_;
    std::set<std::string> complaints_; ///< said already
};

} // namespace longcord
