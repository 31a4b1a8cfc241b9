// SPDX-License-Identifier: MIT
#include "host/vhci_table.hpp"

#include "plan/changes.hpp"

namespace longcord {

/// Reading does no I/O; more than this means that the machine stands still.
static constexpr milliseconds read_limit{6'000};

VhciTable::VhciTable(
    asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
    Importer& importer, Journal& journal, StreamEnded stream_ended)
    : loop_(loop), pool_(pool), reconciler_(reconciler), importer_(importer), journal_(journal),
      stream_ended_(std::move(stream_ended)), vhci_(roots), records_(roots) {}

Task<> VhciTable::read() {
    if (!vhci_.present())
        co_return;
    const auto mine = begun_ + 1;
    while (ended_ < mine)
        if (begun_ == ended_)
            co_await read_now();
        else
            co_await wait_for_reading();
}

Task<> VhciTable::wait_for_reading() {
    asio::steady_timer timer(loop_, read_limit);
    const auto mine = waiting_.insert(waiting_.end(), &timer);
    co_await timer.async_wait(as_value);
    waiting_.erase(mine);
}

Task<> VhciTable::read_now() {
    ++begun_;
    for (bool outdated = true; outdated;) {
        const unsigned epoch = importer_.epoch();
        std::function<Result<std::vector<VhciPort>>()> look = [vhci = vhci_] {
            return vhci.ports();
        };
        auto ports =
            co_await pool_.run<std::vector<VhciPort>>("vhci table", read_limit, std::move(look));
        // Read before an attach or detach that has ended since: once more.
        outdated = ports && epoch != importer_.epoch();
        if (!ports)
            journal_.problem(ports.error().message);
        else if (!outdated)
            take(std::move(*ports));
    }
    ended_ = begun_;
    for (asio::steady_timer* timer : waiting_)
        timer->cancel();
}

void VhciTable::take(std::vector<VhciPort> ports) {
    const auto freed = vhci_listed(reconciler_.world(), std::move(ports), Clock::now());
    for (const auto& [port, place] : freed) {
        records_.remove(port);
        importer_.freed(port);
        stream_ended_(place);
    }
    reconciler_.wake();
}

} // namespace longcord
