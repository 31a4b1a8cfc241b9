// SPDX-License-Identifier: MIT
// Keeps the claims of empty ports in step with what is plugged, exported and set
// (pi/ports_to_claim.hpp). Best effort: where a port cannot be claimed, what comes there meets its
// drivers for a moment, as everywhere without us.
#pragma once

#include "base/worker_pool.hpp"
#include "pi/ports_to_claim.hpp"
#include "usbip/port_claims.hpp"

#include <memory>

namespace longcord {

class PortClaimer {
  public:
    PortClaimer(
        asio::io_context& loop, WorkerPool& pool, Roots roots, std::shared_ptr<PortClaims> claims);

    /// On the loop, after every plan. One job at a time: a claim waits for the lock of its hub,
    /// which something that enumerates there may hold for seconds. All three outlive this object's
    /// last job.
    void follow(const ExportState& state, const ExportConfig& config, const Modes& modes);

  private:
    Task<> claim_now(const ExportState& state, const ExportConfig& config, const Modes& modes);

    asio::io_context& loop_;
    WorkerPool& pool_;
    Roots roots_;
    std::shared_ptr<PortClaims> claims_; ///< the job on a worker thread has it too
    ClaimNews news_;
    bool left_ = true;       ///< to be released, perhaps those of the service before this one
    bool unsettled_ = false; ///< a port that should have been claimed is not
    bool claiming_ = false;
    bool again_ = false;    ///< something has changed since the job began
    bool followed_ = false; ///< there was a plan since then
};

} // namespace longcord
