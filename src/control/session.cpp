// SPDX-License-Identifier: MIT
#include "control/session.hpp"

#include "control/protocol.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>

namespace longcord {

static Peer peer_of(int fd) {
    ucred credentials{};
    socklen_t length = sizeof credentials;
    Peer peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0)
        peer = Peer{credentials.uid, credentials.gid, credentials.pid};
    return peer;
}

ControlSession::ControlSession(
    Socket socket, std::shared_ptr<const ControlServer::Handler> handler, ControlLimits limits)
    : socket_(std::move(socket)), handler_(std::move(handler)), limits_(limits),
      peer_(peer_of(socket_.native_handle())), deadline_(socket_.get_executor()),
      wake_(socket_.get_executor()) {}

/// Bounds the wait that follows: a client that is late is gone.
void ControlSession::close_after(milliseconds limit) {
    deadline_.expires_after(limit);
    auto late = [weak = weak_from_this()](boost::system::error_code error) {
        const auto session = weak.lock();
        // A timer that was set anew while this was queued is not the one that ran out.
        if (error || !session || session->deadline_.expiry() > Clock::now())
            return;
        boost::system::error_code ignored;
        session->socket_.close(ignored);
    };
    deadline_.async_wait(std::move(late));
}

Task<Result<std::string>> ControlSession::read_line() {
    close_after(limits_.idle);
    auto buffer = asio::dynamic_buffer(input_, max_control_request + 1);
    auto [error, length] = co_await asio::async_read_until(socket_, buffer, '\n', as_value);
    deadline_.cancel();
    if (error == asio::error::not_found)
        co_return fail(
            ErrorKind::invalid, "the request is longer than {} bytes", max_control_request);
    if (error)
        co_return fail(ErrorKind::unavailable, "the client left");
    std::string line = input_.substr(0, length - 1);
    input_.erase(0, length);
    co_return line;
}

Task<bool> ControlSession::write(std::string line) {
    line += '\n';
    close_after(limits_.write);
    auto buffer = asio::buffer(line);
    auto [error, length] = co_await asio::async_write(socket_, buffer, as_value);
    deadline_.cancel();
    co_return !error;
}

Task<bool> ControlSession::answer(std::string line) {
    auto request = parse_request(line);
    if (!request) {
        const bool refused = co_await write(format_reply(request.error()));
        co_return refused;
    }
    std::string verb = std::move(request->verb);
    const bool subscribe = verb == "subscribe";
    if (subscribe)
        verb = "events";
    const bool console = verb == "console";
    // From here on, so that nothing falls between what was and what comes.
    subscribed_ = subscribe;
    what_.clear();
    Result<nlohmann::json> result =
        co_await (*handler_)(std::move(verb), std::move(request->args), peer_);
    subscribed_ = (subscribe || console) && result.has_value();
    if (subscribed_ && console)
        what_ = result->value("name", "");
    if (!subscribed_)
        waiting_.clear();
    const bool written = co_await write(format_reply(result));
    co_return written;
}

Task<> ControlSession::run() {
    while (open_ && !subscribed_) {
        Result<std::string> line = co_await read_line();
        if (!line) {
            open_ = false;
            if (line.error().kind == ErrorKind::invalid)
                open_ = co_await write(format_reply(line.error()));
            break;
        }
        open_ = co_await answer(std::move(*line));
    }
    if (open_ && subscribed_)
        co_await stream();
    open_ = false;
    boost::system::error_code ignored;
    socket_.close(ignored);
}

void ControlSession::publish(
    const std::string& what, const std::shared_ptr<const std::string>& line) {
    if (!reads(what))
        return;
    if (waiting_.size() >= limits_.backlog) {
        dropped_ += waiting_.size();
        waiting_.clear();
    }
    waiting_.push_back(line);
    wake_.cancel();
}

/// A subscriber says nothing more: whatever can be read is its end. What it sends is thrown away.
void ControlSession::wait_for_hangup() {
    hangup_.resize(512);
    auto seen = [self = shared_from_this()](boost::system::error_code error, std::size_t) {
        if (!error)
            return self->wait_for_hangup();
        self->open_ = false;
        boost::system::error_code ignored;
        self->socket_.close(ignored);
        self->wake_.cancel();
    };
    socket_.async_read_some(asio::buffer(hangup_), std::move(seen));
}

Task<> ControlSession::stream() {
    wait_for_hangup();
    while (open_) {
        if (dropped_ > 0) {
            const std::uint64_t dropped = std::exchange(dropped_, 0);
            open_ = co_await write(format_lagged(dropped));
        } else if (!waiting_.empty()) {
            const std::shared_ptr<const std::string> line = waiting_.front();
            waiting_.pop_front();
            // No deadline: a stopped terminal is no fault, and what waits for it is bounded.
            auto buffer = asio::buffer(*line);
            auto [error, length] = co_await asio::async_write(socket_, buffer, as_value);
            open_ = open_ && !error;
        } else {
            wake_.expires_at(TimePoint::max());
            co_await wake_.async_wait(as_value);
        }
    }
}

} // namespace longcord
