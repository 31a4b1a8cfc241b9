// SPDX-License-Identifier: MIT
// vhci's table of ports, read into the World. One reading at a time, however many ask: who asks
// while one is under way may want what came after it began, so the next one serves all of them.
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "host/importer.hpp"
#include "host/journal.hpp"
#include "host/reconciler.hpp"
#include "usbip/vhci.hpp"
#include "usbip/vhci_record.hpp"

#include <cstdint>
#include <functional>
#include <list>

#include <boost/asio/steady_timer.hpp>

namespace longcord {

class VhciTable {
  public:
    /// The kernel has freed an import of ours, without our doing.
    using StreamEnded = std::function<void(const Place&)>;

    VhciTable(
        asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
        Importer& importer, Journal& journal, StreamEnded stream_ended);

    /// Ends once a reading that began after the call is in the World, or has failed.
    Task<> read();

  private:
    Task<> read_now();
    Task<> wait_for_reading();
    void take(std::vector<VhciPort> ports);

    asio::io_context& loop_;
    WorkerPool& pool_;
    Reconciler& reconciler_;
    Importer& importer_;
    Journal& journal_;
    StreamEnded stream_ended_;
    Vhci vhci_;
    VhciRecords records_;
    std::uint64_t begun_ = 0; ///< readings
    std::uint64_t ended_ = 0;
    std::list<asio::steady_timer*> waiting_; ///< for a reading to end
};

} // namespace longcord
