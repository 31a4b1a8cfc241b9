// SPDX-License-Identifier: MIT
// The addresses that a serial port is served on.
#include "base/spawn.hpp"
#include "serial/listen.hpp"
#include "serial/serial_server.hpp"

#include <algorithm>

#include <boost/asio/ip/v6_only.hpp>

namespace longcord {

using asio::ip::tcp;

/// Of all addresses, in a kernel without IPv6: those of IPv4.
static bool lacks_ipv6(const boost::system::error_code& error) {
    return error == asio::error::address_family_not_supported ||
           error == boost::system::errc::address_not_available;
}

static boost::system::error_code bind(
    tcp::acceptor& acceptor, const tcp::endpoint& endpoint, bool only_v6) {
    boost::system::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error)
        acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.protocol() == tcp::v6())
        acceptor.set_option(asio::ip::v6_only(only_v6), error);
    if (!error)
        acceptor.bind(endpoint, error);
    if (!error)
        acceptor.listen(tcp::acceptor::max_listen_connections, error);
    return error;
}

static Error listen_failure(const tcp::endpoint& endpoint, const boost::system::error_code& error) {
    const std::string address = endpoint.address().to_string();
    if (error == boost::system::errc::address_in_use)
        return fail(
            ErrorKind::busy, "port {} of {} is taken by another program (ss -ltnp sport = :{})",
            endpoint.port(), address, endpoint.port());
    if (error == boost::system::errc::address_not_available)
        return fail(
            ErrorKind::unavailable, "{} is no address of this machine now (ip address)", address);
    return fail_errno(error.value(), fmt::format("listen on {} port {}", address, endpoint.port()));
}

Result<std::vector<tcp::acceptor>> listen_on(
    asio::io_context& loop, const std::vector<tcp::endpoint>& wanted) {
    std::vector<tcp::acceptor> out;
    for (const tcp::endpoint& endpoint : wanted) {
        tcp::acceptor acceptor(loop);
        // [::] takes IPv4 too, unless that has a socket of its own.
        auto error = bind(acceptor, endpoint, wanted.size() > 1);
        const tcp::endpoint all_v4(tcp::v4(), endpoint.port());
        if (endpoint.address() == asio::ip::address_v6::any() && lacks_ipv6(error)) {
            if (std::ranges::count(wanted, all_v4) > 0)
                continue;
            boost::system::error_code ignored;
            acceptor.close(ignored);
            error = bind(acceptor, all_v4, false);
        }
        // A resolver may answer localhost with an ::1 that the kernel does not have.
        const tcp::endpoint own_v4(asio::ip::address_v4::loopback(), endpoint.port());
        if (endpoint.address() == asio::ip::address_v6::loopback() && lacks_ipv6(error) &&
            std::ranges::count(wanted, own_v4) > 0)
            continue;
        if (error)
            return listen_failure(endpoint, error);
        out.push_back(std::move(acceptor));
    }
    return out;
}

Task<> accept_clients(
    asio::io_context& loop, tcp::acceptor& acceptor,
    std::function<void(std::shared_ptr<SerialClient>)> came) {
    while (acceptor.is_open()) {
        auto [error, socket] = co_await acceptor.async_accept(as_value);
        if (!acceptor.is_open())
            co_return;
        if (error) { // out of descriptors, or the client has gone already
            constexpr milliseconds pause{100};
            co_await sleep_for(pause);
            continue;
        }
        came(std::make_shared<SerialClient>(loop, std::move(socket)));
    }
}

Result<> SerialServer::listen() {
    auto owners = listen_on(loop_, options_.listen);
    if (!owners)
        return owners.error();
    auto observers = listen_on(loop_, options_.observe);
    if (!observers)
        return observers.error();
    acceptors_ = std::move(*owners);
    observer_acceptors_ = std::move(*observers);
    return {};
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
