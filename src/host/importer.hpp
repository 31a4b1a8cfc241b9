// SPDX-License-Identifier: MIT
// Fetching a Pi's device and letting it go: stream and handshake, the record of what is ours, vhci.
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "host/open_requests.hpp"
#include "host/reconciler.hpp"
#include "host/stream_dialer.hpp"
#include "usbip/port_claims.hpp"
#include "usbip/port_speed.hpp"
#include "usbip/vhci.hpp"
#include "usbip/vhci_record.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace longcord {

class Importer {
  public:
    Importer(
        asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
        OpenRequests& opens, StreamDialer& dialer);

    Task<Result<>> import_device(ImportDevice action);
    Task<Result<>> authorize(AuthorizeImport action);
    /// Success once the kernel says that the port is free.
    Task<Result<>> detach(DetachImport action);

    /// Found at start, with a device on it: its claim goes on.
    void adopted(unsigned vhci_port, const std::string& sysname) { claimed_[vhci_port] = sysname; }
    /// After all were adopted: claims of imports that ended while nobody looked are given up.
    Task<> release_leftover_claims();
    /// Whoever must know that an import is over, by our doing or not.
    void on_detached(std::function<void(const Place&)> tell) { tell_detached_ = std::move(tell); }
    /// The kernel has freed the port: whoever gets it next has its drivers.
    void freed(unsigned vhci_port);

    /// Grows with every attach and detach: a vhci table read before then is out of date.
    unsigned epoch() const noexcept { return epoch_; }

  private:
    Task<> give_up_claim(std::string sysname, unsigned number);

    asio::io_context& loop_;
    Roots roots_;
    WorkerPool& pool_;
    Reconciler& reconciler_;
    OpenRequests& opens_;
    StreamDialer& dialer_;
    Vhci vhci_;
    VhciRecords records_;
    std::shared_ptr<PortClaims> claims_;      ///< shared with jobs that outlive their deadline
    std::shared_ptr<PortSpeeds> speeds_;      ///< likewise
    std::map<unsigned, std::string> claimed_; ///< vhci port: the name of what hangs there
    std::function<void(const Place&)> tell_detached_;
    unsigned epoch_ = 0;
};

} // namespace longcord
