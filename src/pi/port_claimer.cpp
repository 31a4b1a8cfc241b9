// SPDX-License-Identifier: MIT
#include "pi/port_claimer.hpp"

#include "base/spawn.hpp"

#include <utility>

#include <spdlog/spdlog.h>

namespace longcord {

/// The kernel gives up a USB request after 5 s, and a hub that is being looked at makes a few.
static constexpr milliseconds deadline{15'000};

PortClaimer::PortClaimer(
    asio::io_context& loop, WorkerPool& pool, Roots roots, std::shared_ptr<PortClaims> claims)
    : loop_(loop), pool_(pool), roots_(std::move(roots)), claims_(std::move(claims)) {}

void PortClaimer::follow(const ExportState& state, const ExportConfig& config, const Modes& modes) {
    const bool may = may_claim(state, config, modes);
    if (!may && !left_)
        return;
    left_ = may;
    again_ = claiming_;
    if (!std::exchange(claiming_, true))
        spawn_guarded(loop_, "claims of ports", claim_now(state, config, modes));
}

static Result<> claim_and_release(
    const Roots& roots, PortClaims& claims, const ExportState& state, const ExportConfig& config,
    const Modes& modes) {
    // Where something is plugged in by now, its look comes, and releases the claim when the kernel
    // has probed it.
    std::set<std::string> kept;
    for (const auto& busid : list_local_devices(roots))
        kept.insert(busid);
    for (const auto& port : ports_to_claim(list_usb_ports(roots), state, config, modes))
        if (kept.insert(port).second)
            if (const auto claimed = claims.claim(port); !claimed)
                spdlog::debug("{}", claimed.error().message);
    claims.release_others(kept);
    return {};
}

Task<> PortClaimer::claim_now(
    const ExportState& state, const ExportConfig& config, const Modes& modes) {
    do {
        again_ = false;
        std::function<Result<>()> job = [roots = roots_, claims = claims_, state, config, modes] {
            return claim_and_release(roots, *claims, state, config, modes);
        };
        co_await pool_.run<void>("claims of ports", deadline, job);
    } while (again_);
    claiming_ = false;
}

} // namespace longcord
