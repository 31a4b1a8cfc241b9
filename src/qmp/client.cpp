// SPDX-License-Identifier: MIT
#include "qmp/client.hpp"

#include "base/spawn.hpp"
#include "qmp/session.hpp"
#include "qmp/unix_connect.hpp"

#include <array>
#include <memory>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>

#include <unistd.h>

namespace longcord {

namespace {

using boost::system::error_code;

/// The socket and the clock that closes it under whatever waits on it.
struct Visit : std::enable_shared_from_this<Visit> {
    explicit Visit(const asio::any_io_executor& executor) : socket(executor), timer(executor) {}

    void limit(milliseconds from_now) {
        timer.expires_after(from_now);
        auto reached = [weak = weak_from_this()](error_code) {
            const auto self = weak.lock();
            // Cancelled, or set anew after this wait had ended already.
            if (!self || self->timer.expiry() > Clock::now())
                return;
            self->expired = true;
            self->close();
        };
        timer.async_wait(std::move(reached));
    }

    void close() {
        error_code ignored;
        socket.close(ignored);
    }

    asio::local::stream_protocol::socket socket;
    asio::steady_timer timer;
    bool expired = false;
    int pid = 0;
};

/// Unlike any other client's ids, and those of our own earlier sessions.
std::string make_tag() {
    static unsigned count = 0;
    constexpr unsigned mask = 0xfff; // short: see format_command
    return fmt::format("L{:x}-{:x}", static_cast<unsigned>(::getpid()) & mask, ++count & mask);
}

Error naming(const std::filesystem::path& socket, const Error& error) {
    if (error.message.find(socket.native()) != std::string::npos)
        return error;
    return Error{error.kind, socket.native() + ": " + error.message};
}

Task<SessionInput> connect(std::shared_ptr<Visit> visit, std::filesystem::path path) {
    for (;;) {
        auto fd = connect_unix(path);
        if (fd) {
            error_code error;
            visit->pid = peer_pid(fd->get());
            const int raw = fd->release();
            visit->socket.assign(asio::local::stream_protocol(), raw, error);
            if (!error)
                co_return SessionInput{Connected{}};
            ::close(raw);
            co_return SessionInput{Closed{fail_errno(error.value(), "wait on " + path.string())}};
        }
        if (fd.error().kind != ErrorKind::busy)
            co_return SessionInput{Closed{fd.error()}};
        if (visit->expired)
            co_return SessionInput{LimitReached{}};
        co_await sleep_for(connect_retry);
    }
}

SessionInput ended(error_code error) {
    if (error == asio::error::eof || error == asio::error::connection_reset ||
        error == asio::error::broken_pipe)
        return Closed{fail(
            ErrorKind::unavailable, "QEMU closed the connection: it has ended, or "
                                    "its monitor was taken away")};
    return Closed{fail_errno(error.value(), "talk to QEMU")};
}

/// Not where the visit ends in any case: what is asked then had better wait for the next one.
bool may_join(
    const SessionInput& happened, const Session& session, TimePoint greeted,
    const SessionLimits& limits) {
    return session.greeted() && std::holds_alternative<BytesRead>(happened) &&
           Clock::now() - greeted < limits.joining;
}

} // namespace

Task<SessionReport> run_session(
    std::filesystem::path path, std::vector<VmCommand> commands, SessionLimits limits,
    Latecomers latecomers) {
    Session session(std::move(commands), make_tag());
    auto executor = co_await asio::this_coro::executor;
    const auto visit = std::make_shared<Visit>(executor);
    visit->limit(limits.greeting);
    TimePoint since{};
    std::array<char, 16384> chunk{};
    SessionInput happened = co_await connect(visit, path);
    for (;;) {
        const bool waiting = !session.greeted();
        if (visit->expired)
            happened = LimitReached{};
        else if (may_join(happened, session, since, limits) && latecomers)
            for (auto& command : latecomers())
                session.add(std::move(command));
        const SessionAction action = session.resume(happened);
        if (waiting && session.greeted()) {
            since = Clock::now();
            visit->limit(limits.session);
        }
        if (action.kind == SessionAction::Kind::done)
            break;
        if (action.kind == SessionAction::Kind::write) {
            const auto bytes = asio::buffer(action.bytes);
            const auto [error, size] = co_await asio::async_write(visit->socket, bytes, as_value);
            happened = error ? ended(error) : SessionInput{Written{}};
        } else {
            const auto space = asio::buffer(chunk);
            const auto [error, size] = co_await visit->socket.async_read_some(space, as_value);
            happened = error ? ended(error) : SessionInput{BytesRead{{chunk.data(), size}}};
        }
    }
    visit->close();
    visit->timer.cancel();
    SessionReport report;
    if (since != TimePoint{})
        report.held = std::chrono::duration_cast<milliseconds>(Clock::now() - since);
    report.pid = visit->pid;
    report.view = session.view();
    if (!report.view)
        report.view = naming(path, report.view.error());
    for (auto& outcome : session.outcomes())
        report.outcomes.push_back(outcome ? outcome : naming(path, outcome.error()));
    co_return report;
}

} // namespace longcord
