// SPDX-License-Identifier: MIT
// Serial ports of Pis, offered on addresses of this node: whoever may connect here is carried to
// the Pi over a sealed stream, so that the network between the two sees no plain byte. The Pi's own
// code serves the client, as one that came to its port; here bytes are only sealed and opened, on
// the relay's thread. A stream lives as long as the client, the Pi's side and the link.
#pragma once

#include "base/rate_limit.hpp"
#include "config/host_config.hpp"
#include "host/journal.hpp"
#include "host/stream_dialer.hpp"
#include "plan/world.hpp"
#include "seal/relay.hpp"
#include "serial/serial_client.hpp"
#include "serial/serial_refusals.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>

namespace longcord {

class SerialOffers {
  public:
    /// Clients of one offer at a time. One has the port; the others are told so, and leave.
    static constexpr std::size_t max_clients = 32;
    /// An address that another program has is tried again.
    static constexpr milliseconds retry_after{5'000};

    SerialOffers(
        asio::io_context& loop, const World& world, Journal& journal, StreamDialer& dialer);
    ~SerialOffers();
    SerialOffers(const SerialOffers&) = delete;
    SerialOffers& operator=(const SerialOffers&) = delete;

    /// The whole set. An offer that stays as it was keeps its clients; so does one of which only
    /// `allow` is another.
    void configure(const std::vector<SerialOffer>& offers);
    /// Ends the streams to that Pi.
    void link_down(const std::string& pi);

    struct Status {
        SerialOffer offer;
        std::size_t clients = 0;
        std::string problem; ///< why nobody can connect; empty: somebody can
    };
    std::vector<Status> status() const;

  private:
    struct Offer;
    struct Client;
    using OfferPtr = std::shared_ptr<Offer>;
    using ClientPtr = std::shared_ptr<Client>;
    using Came = std::shared_ptr<SerialClient>; ///< who connected

    void listen();
    Task<> serve(OfferPtr offer, Came came);
    Task<Result<>> try_to_serve(OfferPtr offer, Came came);
    bool may(const Offer& offer, const SerialClient& came);
    Task<> turn_away(OfferPtr offer, Came came, std::string why);
    Result<> carry(const OfferPtr& offer, const ClientPtr& client, UniqueFd near, DialedSerial far);
    void carried(const OfferPtr& offer, const ClientPtr& client);
    void look_after();
    void close(Offer& offer);

    asio::io_context& loop_;
    const World& world_;
    Journal& journal_;
    StreamDialer& dialer_;
    std::vector<OfferPtr> offers_;
    std::size_t leaving_ = 0; ///< are told why, and closed
    SerialRefusals refusals_;
    RateLimit failure_log_{1, 10};
    asio::steady_timer retry_;
    asio::steady_timer health_;
    bool looking_ = false;
    std::optional<RelayThread> relay_; ///< once it is needed
};

} // namespace longcord
