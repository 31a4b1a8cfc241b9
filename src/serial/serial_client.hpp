// SPDX-License-Identifier: MIT
// One TCP client of a serial port: its socket, what it has not taken yet, and whether it is still
// alive. A client that reads slowly is alive as long as its kernel answers; one whose kernel has
// not acknowledged anything for 5 s while something is due is dead.
#pragma once

#include "base/clock.hpp"
#include "base/task.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace longcord {

class SerialClient : public std::enable_shared_from_this<SerialClient> {
  public:
    static constexpr seconds dead_after{5};

    SerialClient(asio::io_context& loop, asio::ip::tcp::socket socket);

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

    /// By TCP_INFO. `closed`: the other end has said that it sends no more.
    struct Health {
        bool dead = false;
        bool closed = false;
    };
    Health health();

    asio::ip::tcp::socket& socket() noexcept { return socket_; }
    asio::ip::address address() const { return peer_.address(); }
    /// "10.0.0.5:53211", "[fd00::5]:53211"
    std::string name() const;

  private:
    void flush();
    void wait_to_send();

    asio::io_context& loop_;
    asio::ip::tcp::socket socket_;
    asio::ip::tcp::endpoint peer_;
    std::string pending_;
    std::size_t sent_ = 0;
    bool waiting_ = false;
    std::function<void()> room_;
};

/// An IPv4 address that came through an IPv6 socket is an IPv4 address.
asio::ip::address plain_address(const asio::ip::address& address);

} // namespace longcord
