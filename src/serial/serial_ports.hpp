// SPDX-License-Identifier: MIT
// All serial ports of this machine: keeps one server a place running as it is wanted. Desired
// against actual: what has changed is taken over by the server that runs where that does not
// disturb its client, and else the server is made anew.
#pragma once

#include "serial/allow_list.hpp"
#include "serial/serial_server.hpp"

#include <map>

namespace longcord {

struct SerialWish {
    std::string key;           ///< of the place, by controller
    SerialPortOptions options; ///< its `device` stays empty
    /// The terminal that belongs to the place now; empty: nothing is plugged there.
    std::filesystem::path device;
};

class SerialPorts {
  public:
    using OnEvent = std::function<void(const std::string& key, const SerialEvent&)>;

    using OnBytes = std::function<void(const std::string& key, std::string_view bytes)>;

    SerialPorts(
        asio::io_context& loop, WorkerPool& pool, Roots roots, OnEvent on_event, OnBytes on_bytes)
        : loop_(loop), pool_(pool), roots_(std::move(roots)), on_event_(std::move(on_event)),
          on_bytes_(std::move(on_bytes)) {}
    /// Ends all servers.
    ~SerialPorts();
    SerialPorts(const SerialPorts&) = delete;
    SerialPorts& operator=(const SerialPorts&) = delete;

    /// For connections from now on.
    void allow(AllowList list) { *allow_ = std::move(list); }
    /// The whole set. A place that is in it no more loses its server.
    void want(const std::vector<SerialWish>& wishes);

    /// A client over a sealed stream; where there is no such port any more, it is closed.
    void join(const std::string& key, SerialCaller caller);
    void link_down(const std::string& link);

    struct Status {
        SerialStatus server;
        std::uint16_t port = 0;
        std::string problem; ///< why it is not served; empty: it is
    };
    std::map<std::string, Status> status() const;

  private:
    struct Port {
        SerialPortOptions options;
        std::shared_ptr<SerialServer> server;
        std::string problem;
    };
    void start(const SerialWish& wish);

    asio::io_context& loop_;
    WorkerPool& pool_;
    Roots roots_;
    OnEvent on_event_;
    OnBytes on_bytes_;
    std::shared_ptr<AllowList> allow_ = std::make_shared<AllowList>();
    std::map<std::string, Port> ports_;
};

} // namespace longcord
