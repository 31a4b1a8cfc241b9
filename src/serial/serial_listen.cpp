// SPDX-License-Identifier: MIT
// The addresses that a serial port is served on.
#include "serial/serial_server.hpp"

#include <boost/asio/ip/v6_only.hpp>

namespace longcord {

using asio::ip::tcp;

static Result<> bind_all(
    asio::io_context& loop, const std::vector<tcp::endpoint>& wanted,
    std::vector<tcp::acceptor>& out) {
    for (const tcp::endpoint& endpoint : wanted) {
        boost::system::error_code error;
        tcp::acceptor acceptor(loop);
        acceptor.open(endpoint.protocol(), error);
        if (!error)
            acceptor.set_option(tcp::acceptor::reuse_address(true), error);
        // [::] takes IPv4 too, unless that has a socket of its own.
        if (!error && endpoint.protocol() == tcp::v6())
            acceptor.set_option(asio::ip::v6_only(wanted.size() > 1), error);
        if (!error)
            acceptor.bind(endpoint, error);
        if (!error)
            acceptor.listen(tcp::acceptor::max_listen_connections, error);
        if (error)
            return fail_errno(
                error.value(),
                fmt::format(
                    "listen on {} port {}", endpoint.address().to_string(), endpoint.port()));
        out.push_back(std::move(acceptor));
    }
    return {};
}

Result<> SerialServer::listen() {
    auto bound = bind_all(loop_, options_.listen, acceptors_);
    if (bound)
        bound = bind_all(loop_, options_.observe, observer_acceptors_);
    return bound;
}

static std::vector<tcp::endpoint> endpoints_of(const std::vector<tcp::acceptor>& acceptors) {
    std::vector<tcp::endpoint> out;
    for (const tcp::acceptor& acceptor : acceptors) {
        boost::system::error_code ignored;
        out.push_back(acceptor.local_endpoint(ignored));
    }
    return out;
}

std::vector<tcp::endpoint> SerialServer::endpoints() const {
    return endpoints_of(acceptors_);
}

std::vector<tcp::endpoint> SerialServer::observer_endpoints() const {
    return endpoints_of(observer_acceptors_);
}

} // namespace longcord
