// SPDX-License-Identifier: MIT
// One TCP client of a serial port: its socket, what it has not taken yet, and whether it is still
// alive. A client that reads slowly is alive as long as its kernel answers; one whose kernel has
// not acknowledged anything for 5 s while something is due is dead.
#pragma once

#include "base/clock.hpp"
#include "base/task.hpp"
#include "base/unique_fd.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace longcord {

/// By TCP_INFO, of a connected TCP socket. `dead`: something is due to it, and nothing was
/// acknowledged for 5 s. `closed`: the other end has said that it sends no more.
struct TcpHealth {
    static constexpr seconds dead_after{5};
    bool dead = false;
    bool closed = false;
};
TcpHealth tcp_health(int socket);
/// Keepalive, which notices an idle peer that is gone, no delays, and urgent bytes in their place.
void set_serial_options(int socket);

/// A client that came another way than to the port: over a sealed stream, from a node.
struct SerialCaller {
    std::string name; ///< "pve1 for 10.0.0.5:53211"
    std::string link; ///< of that node; its end is the caller's
    UniqueFd socket;  ///< its bytes in clear
    UniqueFd wire;    ///< the TCP connection below, which tells whether the node is alive
};

class SerialClient : public std::enable_shared_from_this<SerialClient> {
  public:
    /// How long a text may take to arrive before its connection is closed.
    static constexpr seconds farewell_limit{1};

    SerialClient(asio::io_context& loop, asio::ip::tcp::socket socket);
    SerialClient(asio::io_context& loop, SerialCaller caller);

    /// Sent at once as far as it can be; the rest is kept.
    void send(std::string_view bytes);
    std::size_t pending() const noexcept { return pending_.size() - sent_; }
    /// Called whenever pending() has become small (see low) or the connection is over.
    void on_room(std::function<void()> room) { room_ = std::move(room); }
    static constexpr std::size_t high = 256 * 1024;
    static constexpr std::size_t low = 64 * 1024;

    /// Says `text` and closes, so that the text arrives: waits up to 1 s for the other end.
    Task<> say_and_close(std::shared_ptr<SerialClient> self, std::string text);
    void close() noexcept;
    bool open() const noexcept { return socket_.is_open(); }

    TcpHealth health();

    /// For somebody else to go on with; nothing is to be sent any more.
    UniqueFd release();
    asio::ip::tcp::socket& socket() noexcept { return socket_; }
    asio::ip::address address() const { return peer_.address(); }
    /// "10.0.0.5:53211", "[fd00::5]:53211", "pve1 for 10.0.0.5:53211"
    std::string name() const;
    /// Of the node whose stream it is; empty: it came to the port itself.
    const std::string& link() const noexcept { return link_; }

  private:
    void flush();
    void wait_to_send();

    asio::io_context& loop_;
    asio::ip::tcp::socket socket_;
    asio::ip::tcp::endpoint peer_;
    std::string name_; ///< of a caller
    std::string link_;
    UniqueFd wire_; ///< below socket_, where that is no TCP connection of its own
    std::string pending_;
    std::size_t sent_ = 0;
    bool waiting_ = false;
    std::function<void()> room_;
};

/// An IPv4 address that came through an IPv6 socket is an IPv4 address.
asio::ip::address plain_address(const asio::ip::address& address);

} // namespace longcord
