// SPDX-License-Identifier: MIT
// Fetching a Pi's device and letting it go: stream and handshake, the record of what is ours, vhci.
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "host/open_requests.hpp"
#include "host/reconciler.hpp"
#include "host/stream_dialer.hpp"
#include "usbip/vhci.hpp"
#include "usbip/vhci_record.hpp"

namespace longcord {

class Importer {
  public:
    Importer(
        const Roots& roots, WorkerPool& pool, Reconciler& reconciler, OpenRequests& opens,
        StreamDialer& dialer);

    Task<Result<>> import_device(ImportDevice action);
    Task<Result<>> authorize(AuthorizeImport action);
    /// Success once the kernel says that the port is free.
    Task<Result<>> detach(DetachImport action);

    /// Grows with every attach and detach: a vhci table read before then is out of date.
    unsigned epoch() const noexcept { return epoch_; }

  private:
    Roots roots_;
    WorkerPool& pool_;
    Reconciler& reconciler_;
    OpenRequests& opens_;
    StreamDialer& dialer_;
    Vhci vhci_;
    VhciRecords records_;
    unsigned epoch_ = 0;
};

} // namespace longcord
