// SPDX-License-Identifier: MIT
#include "portal/server.hpp"

#include "base/spawn.hpp"
#include "portal/connection.hpp"

#include <stdexcept>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <spdlog/spdlog.h>

namespace longcord {

namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

struct PortalServer::Impl {
    Impl(asio::io_context& io, Handler answer, PortalLimits bounds)
        : loop(io), handler(std::move(answer)), limits(bounds) {}

    asio::io_context& loop;
    Handler handler;
    PortalLimits limits;
    std::vector<tcp::acceptor> acceptors;
    std::optional<asio::ssl::context> tls;
    std::size_t connections = 0;
    std::map<std::string, std::size_t> addresses;
    WaitingRoom waiting;
};

namespace {

tcp::endpoint endpoint_of(const Address& address) {
    error_code error;
    const auto ip = asio::ip::make_address(address.host, error);
    if (error)
        throw std::runtime_error(fmt::format("{}: {}", address.host, error.message()));
    return {ip, address.port};
}

tcp::acceptor listen_at(asio::io_context& loop, const Address& address) {
    const auto endpoint = endpoint_of(address);
    tcp::acceptor acceptor(loop);
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error)
        acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) // "::" is IPv4 as well
        acceptor.set_option(asio::ip::v6_only(false), error);
    if (!error)
        acceptor.bind(endpoint, error);
    if (!error)
        acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        throw std::runtime_error(fmt::format(
            "cannot listen on {}: {}; \"listen\" in portal.yaml sets another address or port",
            address.to_string(), error.message()));
    return acceptor;
}

[[noreturn]] void no_tls(const std::filesystem::path& file, const error_code& error) {
    throw std::runtime_error(fmt::format(
        "tls: {}: {}; it must be a PEM file that the user longcord-portal can read", file.string(),
        error.message()));
}

asio::ssl::context tls_of(const PortalConfig& config) {
    using asio::ssl::context;
    context tls(context::tls_server);
    tls.set_options(context::default_workarounds | context::no_tlsv1 | context::no_tlsv1_1);
    error_code error;
    tls.use_certificate_chain_file(config.tls.certificate.string(), error);
    if (error)
        no_tls(config.tls.certificate, error);
    tls.use_private_key_file(config.tls.key.string(), context::pem, error);
    if (error) // that of another certificate, too
        no_tls(config.tls.key, error);
    return tls;
}

std::string address_of(const tcp::socket& socket) {
    error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    return error ? std::string() : endpoint.address().to_string();
}

} // namespace

template <class Impl, class Stream>
static Task<error_code> shake_hands(
    std::shared_ptr<Impl> impl, Stream& stream, std::string address) {
    auto& lowest = beast::get_lowest_layer(stream);
    const WaitingRoom::Seat seat(
        impl->waiting, {std::move(address), [&lowest] { lowest.close(); }});
    lowest.expires_after(impl->limits.request);
    auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, as_value);
    co_return error;
}

/// Counted from its beginning to its end.
template <class Impl>
static Task<> serve(std::shared_ptr<Impl> impl, tcp::socket socket, std::string address) {
    beast::tcp_stream plain(std::move(socket));
    error_code ignored;
    plain.socket().set_option(tcp::no_delay(true), ignored);
    if (impl->tls) {
        beast::ssl_stream<beast::tcp_stream> stream(std::move(plain), *impl->tls);
        const error_code error = co_await shake_hands(impl, stream, address);
        if (!error) {
            Connection connection(
                stream, impl->handler, impl->limits, impl->waiting, address, true);
            co_await connection.talk();
        }
        beast::get_lowest_layer(stream).close();
    } else {
        Connection connection(plain, impl->handler, impl->limits, impl->waiting, address, false);
        co_await connection.talk();
        plain.socket().shutdown(tcp::socket::shutdown_send, ignored);
        plain.close();
    }
    --impl->connections;
    if (--impl->addresses[address] == 0)
        impl->addresses.erase(address);
}

/// False: there is none, since everybody is being answered.
template <class Impl> static bool make_room(Impl& impl, const std::string& address) {
    const auto of_address = impl.addresses.find(address);
    if (of_address != impl.addresses.end() && of_address->second >= impl.limits.of_address)
        return impl.waiting.close_longest(address);
    return impl.connections < impl.limits.connections || impl.waiting.close_longest({});
}

template <class Impl> static Task<> accept(std::shared_ptr<Impl> impl, tcp::acceptor& acceptor) {
    for (;;) {
        auto [error, socket] = co_await acceptor.async_accept(as_value);
        if (error == asio::error::operation_aborted)
            co_return;
        if (error) { // out of descriptors, say: it passes
            co_await sleep_for(milliseconds(100));
            continue;
        }
        const std::string address = address_of(socket);
        if (address.empty() || !make_room(*impl, address))
            continue; // closed
        ++impl->connections;
        ++impl->addresses[address];
        spawn_guarded(impl->loop, "browser", serve(impl, std::move(socket), address));
    }
}

PortalServer::PortalServer(asio::io_context& loop, Handler handler, PortalLimits limits)
    : impl_(std::make_shared<Impl>(loop, std::move(handler), limits)) {}

PortalServer::~PortalServer() = default;

void PortalServer::listen(const PortalConfig& config) {
    if (!config.tls.certificate.empty())
        impl_->tls.emplace(tls_of(config));
    for (const Address& address : config.addresses()) {
        impl_->acceptors.push_back(listen_at(impl_->loop, address));
        const auto port = impl_->acceptors.back().local_endpoint().port();
        spdlog::info(
            "listening on {}://{}", impl_->tls ? "https" : "http",
            Address{address.host, port}.to_string());
    }
}

void PortalServer::run() {
    for (auto& acceptor : impl_->acceptors)
        spawn_guarded(impl_->loop, "portal's port", accept(impl_, acceptor));
}

} // namespace longcord
