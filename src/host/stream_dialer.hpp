// SPDX-License-Identifier: MIT
// Makes the stream of an import: to a paired Pi a sealed one, to a plain USB/IP server a direct
// one.
#pragma once

#include "base/worker_pool.hpp"
#include "config/host_config.hpp"
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

/// A serial port of a Pi that is linked.
struct DialSerial {
    std::string pi;
    std::string server; ///< its address, or a name
    std::uint16_t server_port = 0;
    std::string port;   ///< as OpenSerial has it
    std::string client; ///< for whom
};

/// The Pi expects records from here on.
struct DialedSerial {
    UniqueFd tcp;
    StreamSecret secret;
};

class StreamDialer {
  public:
    StreamDialer(WorkerPool& pool, OpenRequests& opens, const HostConfig& config)
        : pool_(pool), opens_(opens), config_(config) {}

    /// Connection, `open` and the import's handshake. Each message names server and device.
    Task<Result<DialedStream>> dial(ImportDevice action);
    /// Connection, `open` and preface; the seal is the caller's to put on.
    Task<Result<DialedSerial>> dial_serial(DialSerial target);
    /// An address, or a name, which is looked up for 3 s at most.
    Task<Result<asio::ip::address>> resolve(std::string host);

  private:
    Task<Result<SealedStream>> open_sealed(ImportDevice action, asio::ip::tcp::endpoint server);
    Task<Result<DialedStream>> dial_sealed(ImportDevice action, asio::ip::tcp::endpoint server);

    WorkerPool& pool_;
    OpenRequests& opens_;
    const HostConfig& config_;
    StreamSealer sealer_;
};

} // namespace longcord
