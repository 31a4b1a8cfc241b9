// SPDX-License-Identifier: MIT
#include "control/server.hpp"

#include "base/spawn.hpp"
#include "control/permission.hpp"
#include "control/protocol.hpp"
#include "control/session.hpp"

#include <list>
#include <stdexcept>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <sys/stat.h>

namespace longcord {

using Protocol = asio::local::stream_protocol;
using boost::system::error_code;

/// Shared with the sessions, which can outlive the server while the loop is torn down.
struct ControlServer::Impl {
    Impl(asio::io_context& io, std::filesystem::path path, Handler ask, ControlLimits bounds)
        : loop(io), socket(std::move(path)), handler(std::make_shared<Handler>(std::move(ask))),
          limits(bounds), acceptor(io) {}

    asio::io_context& loop;
    std::filesystem::path socket;
    std::shared_ptr<const Handler> handler;
    ControlLimits limits;
    Protocol::acceptor acceptor;
    std::list<std::shared_ptr<ControlSession>> sessions;

    void listen();
    static Task<> serve(std::shared_ptr<Impl> impl, std::shared_ptr<ControlSession> session);
};

[[noreturn]] static void give_up(const std::filesystem::path& socket, std::string_view why) {
    throw std::runtime_error(fmt::format("control socket {}: {}", socket.string(), why));
}

/// A socket file outlives a service that was killed. Whether one listens there is known by asking.
static void remove_stale(asio::io_context& loop, const std::filesystem::path& socket) {
    Protocol::socket probe(loop);
    error_code error;
    probe.connect(Protocol::endpoint(socket.string()), error);
    if (!error)
        give_up(socket, "another service listens there");
    if (error == asio::error::connection_refused)
        std::filesystem::remove(socket);
}

void ControlServer::Impl::listen() {
    std::filesystem::create_directories(socket.parent_path());
    remove_stale(loop, socket);
    error_code error;
    acceptor.open(Protocol(), error);
    if (!error)
        acceptor.bind(Protocol::endpoint(socket.string()), error);
    // Nobody can connect between these two: that needs listen().
    if (!error && chmod(socket.c_str(), 0660) != 0)
        error.assign(errno, boost::system::system_category());
    if (!error)
        let_portal_in(socket);
    if (!error)
        acceptor.listen(static_cast<int>(limits.clients), error);
    if (error)
        give_up(socket, error.message());
}

ControlServer::ControlServer(
    asio::io_context& loop, std::filesystem::path socket, Handler handler, ControlLimits limits)
    : impl_(std::make_shared<Impl>(loop, std::move(socket), std::move(handler), limits)) {
    impl_->listen();
}

ControlServer::~ControlServer() {
    error_code ignored;
    impl_->acceptor.close(ignored);
    std::error_code not_there;
    std::filesystem::remove(impl_->socket, not_there);
}

Task<> ControlServer::Impl::serve(
    std::shared_ptr<Impl> impl, std::shared_ptr<ControlSession> session) {
    co_await session->run();
    impl->sessions.remove(session);
}

/// One too many: told so, as far as that needs no waiting.
static void turn_away(Protocol::socket socket, std::size_t limit) {
    const Error full =
        fail(ErrorKind::full, "{} clients are connected already; that is the limit", limit);
    const std::string line = format_reply(full) + "\n";
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(line), ignored);
}

Task<> ControlServer::run() {
    const std::shared_ptr<Impl> impl = impl_;
    while (impl->acceptor.is_open()) {
        auto [error, socket] = co_await impl->acceptor.async_accept(as_value);
        if (error == asio::error::operation_aborted)
            break;
        if (error) { // out of descriptors, say: it passes
            co_await sleep_for(milliseconds(100));
            continue;
        }
        if (impl->sessions.size() >= impl->limits.clients) {
            turn_away(std::move(socket), impl->limits.clients);
            continue;
        }
        auto session =
            std::make_shared<ControlSession>(std::move(socket), impl->handler, impl->limits);
        impl->sessions.push_back(session);
        spawn_guarded(impl->loop, "control client", Impl::serve(impl, session));
    }
}

void ControlServer::publish(nlohmann::json event) {
    const auto line = std::make_shared<const std::string>(format_event(event) + "\n");
    for (const auto& session : impl_->sessions)
        session->publish("", line);
}

void ControlServer::publish_bytes(const std::string& name, std::string_view bytes) {
    std::shared_ptr<const std::string> line; // made for the first who wants it
    for (const auto& session : impl_->sessions)
        if (session->reads(name)) {
            if (!line)
                line = std::make_shared<const std::string>(format_bytes(bytes) + "\n");
            session->publish(name, line);
        }
}

} // namespace longcord
