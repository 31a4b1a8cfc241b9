// SPDX-License-Identifier: MIT
#include "portal/server.hpp"

#include "base/spawn.hpp"
#include "portal/beast.hpp"
#include "portal/event_stream.hpp"

#include <stdexcept>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <spdlog/spdlog.h>

namespace longcord {

namespace beast = boost::beast;
namespace http = boost::beast::http;
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
};

namespace {

http::response<http::string_body> head_of(const PortalResponse& answer, bool keep_alive) {
    http::response<http::string_body> response{static_cast<http::status>(answer.status), 11};
    for (const auto& [name, value] : security_headers())
        response.set(name, value);
    for (const auto& [name, value] : answer.headers)
        response.insert(name, value);
    response.set(http::field::content_type, answer.content_type);
    response.keep_alive(keep_alive);
    return response;
}

unsigned status_of(const error_code& error) {
    if (error == http::error::body_limit)
        return 413;
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
        return 431;
    return 400;
}

/// The client ended, was late, or was never there: nobody is left to be answered.
bool nobody_there(const error_code& error) {
    return error.category() != http::make_error_code(http::error::end_of_stream).category() ||
           error == http::error::end_of_stream || error == http::error::partial_message;
}

template <class Stream> class Connection {
  public:
    Connection(
        Stream& stream, const PortalServer::Handler& handler, const PortalLimits& limits,
        std::string address, bool tls)
        : stream_(stream), handler_(handler), limits_(limits), address_(std::move(address)),
          tls_(tls) {}

    Task<> talk() {
        bool go_on = true;
        while (go_on)
            go_on = co_await one_request();
    }

  private:
    /// False: the connection is over.
    Task<bool> one_request() {
        // Waiting for a request may take longer than the request itself.
        if (buffer_.size() == 0) {
            beast::get_lowest_layer(stream_).expires_after(limits_.idle);
            auto room = buffer_.prepare(1);
            auto [error, n] = co_await stream_.async_read_some(room, as_value);
            if (error)
                co_return false;
            buffer_.commit(n);
        }
        http::request_parser<http::string_body> parser;
        parser.header_limit(static_cast<std::uint32_t>(limits_.header));
        parser.body_limit(limits_.body);
        beast::get_lowest_layer(stream_).expires_after(limits_.request);
        auto [error, n] = co_await http::async_read(stream_, buffer_, parser, as_value);
        static_cast<void>(n);
        if (error && nobody_there(error))
            co_return false;
        beast::get_lowest_layer(stream_).expires_never(); // the answer has its own bounds
        if (error) {
            auto refusal =
                error_response(status_of(error), fail(ErrorKind::invalid, "{}", error.message()));
            const bool sent = co_await send(std::move(refusal), false, false);
            static_cast<void>(sent);
            co_return false;
        }
        const BeastRequest& request = parser.get();
        const bool keep_alive = request.keep_alive();
        auto read = from_beast(request);
        if (!read) {
            auto refusal = error_response(400, read.error());
            const bool sent = co_await send(std::move(refusal), false, false);
            static_cast<void>(sent);
            co_return false;
        }
        read->address = address_;
        read->tls = tls_;
        const bool head = read->method == Method::head;
        auto answer = co_await handler_(std::move(*read));
        if (answer.stream) {
            co_await stream_events(std::move(answer));
            co_return false;
        }
        const bool sent = co_await send(std::move(answer), head, keep_alive);
        co_return sent&& keep_alive;
    }

    Task<bool> send(PortalResponse answer, bool head, bool keep_alive) {
        auto response = head_of(answer, keep_alive);
        if (answer.body)
            response.body() = *answer.body;
        response.prepare_payload();
        if (head)
            response.body().clear();
        beast::get_lowest_layer(stream_).expires_after(limits_.write);
        auto [error, n] = co_await http::async_write(stream_, response, as_value);
        static_cast<void>(n);
        co_return !error;
    }

    /// Whatever can be read from now on is the end of a browser that has no more to ask here.
    void wait_for_hangup(std::weak_ptr<EventStream> events) {
        auto seen = [events](const error_code&) {
            if (const auto stream = events.lock())
                stream->close();
        };
        beast::get_lowest_layer(stream_).socket().async_wait(
            tcp::socket::wait_read, std::move(seen));
    }

    Task<> stream_events(PortalResponse answer) {
        const auto events = answer.stream;
        const auto head = head_of(answer, false);
        std::string text = fmt::format("HTTP/1.1 {} OK\r\n", answer.status);
        for (const auto& field : head)
            text += fmt::format(
                "{}: {}\r\n", std::string_view(field.name_string()),
                std::string_view(field.value()));
        text += "\r\n";
        wait_for_hangup(events);
        StreamText next = std::make_shared<const std::string>(std::move(text));
        while (next) {
            beast::get_lowest_layer(stream_).expires_after(limits_.write);
            auto buffer = asio::buffer(*next);
            auto [error, n] = co_await asio::async_write(stream_, buffer, as_value);
            static_cast<void>(n);
            if (error)
                break;
            beast::get_lowest_layer(stream_).expires_never();
            next = co_await events->next();
        }
        events->close();
    }

    Stream& stream_;
    const PortalServer::Handler& handler_;
    const PortalLimits& limits_;
    std::string address_;
    bool tls_;
    beast::flat_buffer buffer_{16 * 1024};
};

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
        throw std::runtime_error(
            fmt::format("cannot listen on {}: {}", address.to_string(), error.message()));
    return acceptor;
}

std::string address_of(const tcp::socket& socket) {
    error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    return error ? std::string() : endpoint.address().to_string();
}

} // namespace

/// Counted from its beginning to its end.
template <class Impl>
static Task<> serve(std::shared_ptr<Impl> impl, tcp::socket socket, std::string address) {
    beast::tcp_stream plain(std::move(socket));
    error_code ignored;
    plain.socket().set_option(tcp::no_delay(true), ignored);
    if (impl->tls) {
        beast::ssl_stream<beast::tcp_stream> stream(std::move(plain), *impl->tls);
        beast::get_lowest_layer(stream).expires_after(impl->limits.request);
        auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, as_value);
        if (!error) {
            Connection connection(stream, impl->handler, impl->limits, address, true);
            co_await connection.talk();
        }
        beast::get_lowest_layer(stream).close();
    } else {
        Connection connection(plain, impl->handler, impl->limits, address, false);
        co_await connection.talk();
        plain.socket().shutdown(tcp::socket::shutdown_send, ignored);
        plain.close();
    }
    --impl->connections;
    if (--impl->addresses[address] == 0)
        impl->addresses.erase(address);
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
        if (address.empty() || impl->connections >= impl->limits.connections ||
            impl->addresses[address] >= impl->limits.of_address)
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
    if (!config.tls.certificate.empty()) {
        impl_->tls.emplace(asio::ssl::context::tls_server);
        impl_->tls->set_options(
            asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
            asio::ssl::context::no_tlsv1_1);
        error_code error;
        impl_->tls->use_certificate_chain_file(config.tls.certificate.string(), error);
        if (error)
            throw std::runtime_error(
                fmt::format("{}: {}", config.tls.certificate.string(), error.message()));
        impl_->tls->use_private_key_file(config.tls.key.string(), asio::ssl::context::pem, error);
        if (error)
            throw std::runtime_error(
                fmt::format("{}: {}", config.tls.key.string(), error.message()));
    }
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
