// SPDX-License-Identifier: MIT
// HTTP on the portal's addresses. Every connection has bounds, in number, size and time: whoever is
// slow, silent or too many costs little, and nobody else anything.
#pragma once

#include "base/clock.hpp"
#include "base/task.hpp"
#include "config/portal_config.hpp"
#include "portal/message.hpp"

#include <boost/asio/io_context.hpp>

namespace longcord {

struct PortalLimits {
    std::size_t header = 8 * 1024;
    std::size_t body = 64 * 1024;
    std::size_t connections = 64;
    std::size_t of_address = 32;  ///< a browser opens six
    milliseconds request{10'000}; ///< from its first byte to its last; and for a TLS handshake
    milliseconds idle{30'000};    ///< between two requests
    milliseconds write{10'000};   ///< for each piece of an answer to be taken
    /// After a refusal, for what is still coming.
    milliseconds linger{2'000};
    std::size_t lingering_bytes = 16 * 1024 * 1024;
};

class PortalServer {
  public:
    using Handler = std::function<Task<PortalResponse>(PortalRequest)>;

    PortalServer(asio::io_context& loop, Handler handler, PortalLimits limits = {});
    ~PortalServer();

    /// Throws std::runtime_error where an address or the certificate cannot be had.
    void listen(const PortalConfig& config);
    /// Takes connections; the tasks end only with the loop.
    void run();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

} // namespace longcord
