// SPDX-License-Identifier: MIT
// Makes the stream of an import: to a paired Pi a sealed one, to a plain USB/IP server a direct
// one.
#pragma once

#include "base/worker_pool.hpp"
#include "host/open_requests.hpp"
#include "plan/action.hpp"
#include "seal/stream_sealer.hpp"
#include "usbip/import.hpp"

namespace longcord {

struct DialedStream {
    ImportedStream imported;
    std::string server;               ///< "10.77.0.2:3240"
    std::optional<SealEngine> engine; ///< none: direct, nothing protects it
};

class StreamDialer {
  public:
    StreamDialer(WorkerPool& pool, OpenRequests& opens) : pool_(pool), opens_(opens) {}

    /// Connection, `open` and the import's handshake. Each message names server and device.
    Task<Result<DialedStream>> dial(ImportDevice action);
    /// An address, or a name, which is looked up for 3 s at most.
    Task<Result<asio::ip::address>> resolve(std::string host);

  private:
    Task<Result<SealedStream>> open_sealed(ImportDevice action, asio::ip::tcp::endpoint server);
    Task<Result<DialedStream>> dial_sealed(ImportDevice action, asio::ip::tcp::endpoint server);

    WorkerPool& pool_;
    OpenRequests& opens_;
    StreamSealer sealer_;
};

} // namespace longcord
