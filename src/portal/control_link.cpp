// SPDX-License-Identifier: MIT
#include "portal/control_link.hpp"

#include "base/spawn.hpp"
#include "control/protocol.hpp"
#include "portal/event_stream.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

namespace longcord {

using nlohmann::json;
using Protocol = asio::local::stream_protocol;

/// One connection. A wait that lasts too long ends by closing it.
struct ControlLink::Wire : std::enable_shared_from_this<ControlLink::Wire> {
    explicit Wire(asio::io_context& loop) : socket(loop), deadline(loop) {}

    void close_after(milliseconds wait) {
        deadline.expires_after(wait);
        deadline.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
            const auto wire = weak.lock();
            if (!error && wire && wire->deadline.expiry() <= Clock::now()) {
                wire->late = true;
                wire->close();
            }
        });
    }
    void patient() { deadline.expires_at(TimePoint::max()); }
    void close() {
        boost::system::error_code ignored;
        socket.close(ignored);
    }
    Task<Result<ControlMessage>> read() {
        auto buffer = asio::dynamic_buffer(input, max_control_reply);
        auto [error, length] = co_await asio::async_read_until(socket, buffer, '\n', as_value);
        if (error && late)
            co_return fail(ErrorKind::timeout, "the service did not answer in time");
        if (error)
            co_return fail(ErrorKind::unavailable, "the service has ended the connection");
        const std::string line = input.substr(0, length - 1);
        input.erase(0, length);
        co_return parse_message(line);
    }

    Protocol::socket socket;
    asio::steady_timer deadline;
    std::string input;
    bool late = false;
};

Task<Result<std::shared_ptr<ControlLink::Wire>>> ControlLink::ask(
    std::string verb, json args, milliseconds wait, json& reply) {
    auto wire = std::make_shared<Wire>(loop_);
    boost::system::error_code refused;
    // A Unix socket takes a connection at once, or not at all.
    wire->socket.connect(Protocol::endpoint(socket_.string()), refused);
    if (refused == boost::system::errc::permission_denied)
        co_return fail(
            ErrorKind::refused, "{}: this program may not ask the service; is it user {}?",
            socket_.string(), "longcord-portal");
    if (refused)
        co_return fail(
            ErrorKind::unavailable, "the service does not run on this machine ({}: {})",
            socket_.string(), refused.message());
    wire->close_after(wait);
    const std::string line = format_request(verb, args) + "\n";
    auto buffer = asio::buffer(line);
    auto [error, length] = co_await asio::async_write(wire->socket, buffer, as_value);
    static_cast<void>(length);
    static_cast<void>(error); // then the reply will not come either, or says why
    auto message = co_await wire->read();
    if (!message)
        co_return message.error();
    if (message->kind != ControlMessage::Kind::reply)
        co_return fail(ErrorKind::protocol, "the service answered something else");
    if (!message->reply)
        co_return message->reply.error();
    reply = std::move(*message->reply);
    co_return wire;
}

Task<Result<json>> ControlLink::call(std::string verb, json args, milliseconds wait) {
    if (calls_ >= max_calls)
        co_return fail(
            ErrorKind::full, "{} requests are under way already; try again in a moment", calls_);
    ++calls_;
    json reply;
    const auto wire = co_await ask(std::move(verb), std::move(args), wait, reply);
    --calls_;
    if (!wire)
        co_return wire.error();
    (*wire)->close();
    co_return reply;
}

Task<Error> ControlLink::follow() {
    json reply;
    json args{{"limit", history}};
    constexpr milliseconds wait{15'000};
    const auto wire = co_await ask("subscribe", std::move(args), wait, reply);
    if (!wire)
        co_return wire.error();
    (*wire)->patient();
    handler_.up(reply.is_object() && reply.contains("events") ? reply["events"] : json::array());
    for (;;) {
        auto message = co_await (*wire)->read();
        if (!message)
            co_return message.error();
        if (message->kind == ControlMessage::Kind::event)
            handler_.event(std::move(message->event));
        else if (message->kind == ControlMessage::Kind::lagged)
            handler_.lagged();
    }
}

Task<> ControlLink::run() {
    for (;;) {
        const Error why = co_await follow();
        handler_.down(why);
        co_await sleep_for(retry_after);
    }
}

Task<Result<json>> ControlLink::console(std::string name, std::shared_ptr<EventStream> stream) {
    json reply;
    json args{{"name", std::move(name)}};
    constexpr milliseconds wait{15'000};
    const auto wire = co_await ask("console", std::move(args), wait, reply);
    if (!wire)
        co_return wire.error();
    (*wire)->patient();
    stream->on_close([wire = *wire] { wire->close(); });
    spawn_guarded(loop_, "console", pump(*wire, std::move(stream)));
    co_return reply;
}

Task<> ControlLink::pump(std::shared_ptr<Wire> wire, std::shared_ptr<EventStream> stream) {
    for (;;) {
        const auto message = co_await wire->read();
        if (!message)
            break;
        if (message->kind == ControlMessage::Kind::bytes)
            stream->send(stream_event("bytes", message->base64));
        else if (message->kind == ControlMessage::Kind::lagged)
            stream->send(stream_event("lagged", std::to_string(message->dropped)));
    }
    stream->close();
}

} // namespace longcord
