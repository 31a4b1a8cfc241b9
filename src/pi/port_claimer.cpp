// SPDX-License-Identifier: MIT
#include "pi/port_claimer.hpp"

#include "base/spawn.hpp"

#include <spdlog/spdlog.h>

namespace longcord {

/// The kernel gives up a USB request after 5 s, and a hub that is being looked at makes a few.
static constexpr milliseconds deadline{15'000};

PortClaimer::PortClaimer(
    asio::io_context& loop, WorkerPool& pool, Roots roots, std::shared_ptr<PortClaims> claims)
    : loop_(loop), pool_(pool), roots_(std::move(roots)), claims_(std::move(claims)) {}

void PortClaimer::follow(const ExportState& state, const ExportConfig& config, const Modes& modes) {
    const bool news = news_.take(state, config, modes);
    if (claiming_) {
        again_ = again_ || news;
        followed_ = true;
        return;
    }
    const bool may = may_claim(state, config, modes);
    if ((!news && !unsettled_) || (!may && !left_))
        return;
    left_ = may;
    claiming_ = true;
    spawn_guarded(loop_, "claims of ports", claim_now(state, config, modes));
}

/// True: a port that should be claimed is not, since something has come there that nobody has
/// looked at, or since the kernel says no.
static Result<bool> claim_and_release(
    const Roots& roots, PortClaims& claims, const ExportState& state, const ExportConfig& config,
    const Modes& modes) {
    // Where something is plugged in by now, its look comes, and releases the claim when the kernel
    // has probed it.
    std::set<std::string> kept;
    for (const auto& busid : list_local_devices(roots))
        kept.insert(busid);
    bool unsettled = false;
    for (const auto& port : ports_to_claim(list_usb_ports(roots), state, config, modes)) {
        const bool empty = kept.insert(port).second;
        Result<> claimed;
        if (empty)
            claimed = claims.claim(port);
        if (!claimed)
            spdlog::debug("{}", claimed.error().message);
        unsettled = unsettled || !empty || !claimed;
    }
    claims.release_others(kept);
    return unsettled;
}

Task<> PortClaimer::claim_now(
    const ExportState& state, const ExportConfig& config, const Modes& modes) {
    do {
        again_ = followed_ = false;
        std::function<Result<bool>()> job = [roots = roots_, claims = claims_, state, config,
                                             modes] {
            return claim_and_release(roots, *claims, state, config, modes);
        };
        const auto unsettled = co_await pool_.run<bool>("claims of ports", deadline, job);
        unsettled_ = !unsettled || *unsettled;
    } while (again_ || (unsettled_ && followed_));
    claiming_ = false;
}

} // namespace longcord
