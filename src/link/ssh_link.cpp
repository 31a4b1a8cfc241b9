// SPDX-License-Identifier: MIT
#include "link/ssh_link.hpp"

#include "base/spawn.hpp"

#include <array>
#include <cerrno>
#include <random>

#include <spdlog/spdlog.h>

#include <sys/socket.h>
#include <unistd.h>

namespace longcord {

static std::uint64_t some_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

LinkClient::LinkClient(asio::io_context& loop, LinkTarget target, Handler handler)
    : loop_(loop), target_(std::move(target)), handler_(std::move(handler)), delay_(some_seed()),
      silence_(loop), pause_(loop) {}

LinkClient::~LinkClient() {
    *gone_ = true;
    if (lines_)
        lines_->close();
}

Task<> LinkClient::run() {
    return keep_linked(gone_);
}

Task<> LinkClient::keep_linked(std::shared_ptr<bool> gone) {
    if (*gone)
        co_return; // ended before the loop came to it
    for (;;) {
        const TimePoint began = Clock::now();
        const Error why = co_await talk();
        if (*gone)
            co_return;
        const auto lasted = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
        mark_down(why);
        const auto pause = delay_.next(lasted, why.kind == ErrorKind::refused);
        pause_.expires_after(pause);
        co_await pause_.async_wait(as_value);
        if (*gone)
            co_return;
    }
}

/// One session, from beginning to end.
Task<Error> LinkClient::talk() {
    const auto gone = gone_;
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        co_return fail_errno(errno, "socketpair");
    said_.clear();
    session_ = std::make_unique<SshSession>(target_, UniqueFd(ends[1]));
    lines_ = std::make_shared<LineSocket>(
        LineSocket::Socket(loop_, asio::local::stream_protocol(), ends[0]));
    for (;;) {
        const auto line = co_await lines_->read_line();
        if (*gone)
            co_return Error{};
        if (!line)
            break;
        take(*line);
    }
    silence_.cancel();
    const bool overflowed = lines_->overflowed();
    lines_->close();
    lines_.reset();
    Error why = session_->outcome();
    session_.reset();
    if (overflowed)
        why = fail(ErrorKind::full, "{} does not read what it is sent", target_.host);
    co_return why;
}

void LinkClient::take(const LineFramer::Line& line) {
    auto message = line.too_long
                       ? fail(ErrorKind::invalid, "line: is longer than {} bytes", max_link_line)
                       : parse_host_message(line.text);
    if (!message)
        // A node that is newer may say what we do not know yet.
        return spdlog::warn("{}: message ignored: {}", target_.host, message.error().message);
    heard_at_ = Clock::now();
    watch_silence();
    take(std::move(*message));
}

void LinkClient::take(HostMessage message) {
    if (const auto* ping = std::get_if<Ping>(&message))
        return send(Pong{ping->n});
    if (const auto* error = std::get_if<LinkError>(&message))
        problem_ = said_ = fmt::format("{} says: {}", target_.host, error->message);
    if (std::holds_alternative<Welcome>(message)) {
        problem_.clear();
        said_.clear();
        if (!linked_) {
            linked_ = true;
            since_ = Clock::now();
            handler_.up();
        }
    }
    handler_.message(std::move(message));
}

void LinkClient::watch_silence() {
    silence_.expires_after(silent_after);
    silence_.async_wait([this](const boost::system::error_code& error) {
        if (!error)
            mark_down(fail(ErrorKind::timeout, "{}: its longcord service is silent", target_.host));
    });
}

void LinkClient::mark_down(Error why) {
    linked_ = false;
    // What the node said last explains more than that it hung up.
    if (!said_.empty())
        why.message += "; " + said_;
    problem_ = why.message;
    handler_.down(std::move(why));
}

void LinkClient::send(PiMessage message) {
    if (!lines_)
        return;
    const std::string line = format(message);
    if (line.size() > max_link_line) {
        problem_ = fmt::format(
            "{}: a message of {} bytes is too long to be sent", target_.host, line.size());
        spdlog::error("{}", problem_);
        return;
    }
    lines_->send(line);
}

std::optional<TimePoint> LinkClient::linked_since() const {
    return linked_ ? std::optional(since_) : std::nullopt;
}

std::optional<std::chrono::microseconds> LinkClient::round_trip() const {
    return linked_ && session_ ? session_->round_trip() : std::nullopt;
}

std::string LinkClient::peer() const {
    return session_ && session_->connected() ? session_->peer() : std::string();
}

std::string LinkClient::last_problem() const {
    if (linked_ || !problem_.empty())
        return problem_;
    if (session_ && session_->connected())
        return fmt::format("{}: logged in, its longcord service does not speak", target_.host);
    return fmt::format("{}: connecting", target_.host);
}

} // namespace longcord
