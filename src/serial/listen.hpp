// SPDX-License-Identifier: MIT
// Listening sockets for serial clients, and who comes by them.
#pragma once

#include "base/error.hpp"
#include "base/task.hpp"
#include "serial/serial_client.hpp"

#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace longcord {

/// One for each endpoint, or an error that names the first that cannot be had. [::] takes IPv4 too
/// where it is the only one, and is 0.0.0.0 in a kernel without IPv6.
Result<std::vector<asio::ip::tcp::acceptor>> listen_on(
    asio::io_context& loop, const std::vector<asio::ip::tcp::endpoint>& wanted);

/// Each who connects, until the acceptor is closed. `came` keeps alive what owns the acceptor.
Task<> accept_clients(
    asio::io_context& loop, asio::ip::tcp::acceptor& acceptor,
    std::function<void(std::shared_ptr<SerialClient>)> came);

} // namespace longcord
