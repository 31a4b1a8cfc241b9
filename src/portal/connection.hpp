// SPDX-License-Identifier: MIT
// One browser's connection, by http or TLS: request after request, each with its bounds in size and
// time, and at the end perhaps a stream of events.
#pragma once

#include "portal/beast.hpp"
#include "portal/event_stream.hpp"
#include "portal/server.hpp"
#include "portal/waiting_room.hpp"

#include <array>
#include <optional>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace longcord {

template <class Stream> class Connection {
  public:
    Connection(
        Stream& stream, const PortalServer::Handler& handler, const PortalLimits& limits,
        WaitingRoom& waiting, std::string address, bool tls)
        : stream_(stream), handler_(handler), limits_(limits), waiting_(waiting),
          address_(std::move(address)), tls_(tls) {}

    Task<> talk() {
        bool go_on = true;
        while (go_on)
            go_on = co_await one_request();
    }

  private:
    using Failure = boost::system::error_code;
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

    auto& lowest() { return boost::beast::get_lowest_layer(stream_); }

    /// Until a request is there, whole.
    Task<Failure> read_request() {
        const WaitingRoom::Seat seat(waiting_, {address_, [this] { lowest().close(); }});
        // Waiting for a request may take longer than the request itself.
        if (buffer_.size() == 0) {
            lowest().expires_after(limits_.idle);
            auto room = buffer_.prepare(1);
            auto [error, n] = co_await stream_.async_read_some(room, as_value);
            if (error)
                co_return error;
            buffer_.commit(n);
        }
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(limits_.header));
        parser_->body_limit(limits_.body);
        lowest().expires_after(limits_.request);
        auto [error, n] =
            co_await boost::beast::http::async_read_header(stream_, buffer_, *parser_, as_value);
        static_cast<void>(n);
        if (error)
            co_return error;
        if (waits_for_go_on(parser_->get()) && !parser_->is_done()) {
            auto go_on = asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25);
            auto [failed, sent] = co_await asio::async_write(stream_, go_on, as_value);
            static_cast<void>(sent);
            if (failed)
                co_return failed;
        }
        auto [broken, length] =
            co_await boost::beast::http::async_read(stream_, buffer_, *parser_, as_value);
        static_cast<void>(length);
        co_return broken;
    }

    /// False: the connection is over.
    Task<bool> one_request() {
        const Failure error = co_await read_request();
        if (error && nobody_there(error))
            co_return false;
        lowest().expires_never(); // the answer has its own bounds
        if (error) {
            auto refusal =
                error_response(status_of(error), fail(ErrorKind::invalid, "{}", error.message()));
            co_await refuse(std::move(refusal));
            co_return false;
        }
        const BeastRequest& request = parser_->get();
        const bool keep_alive = request.keep_alive();
        auto read = from_beast(request);
        if (!read) {
            auto refusal = error_response(400, read.error());
            co_await refuse(std::move(refusal));
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
        auto response = to_beast(answer, keep_alive);
        if (answer.body)
            response.body() = *answer.body;
        response.prepare_payload();
        if (head)
            response.body().clear();
        lowest().expires_after(limits_.write);
        auto [error, n] = co_await boost::beast::http::async_write(stream_, response, as_value);
        static_cast<void>(n);
        co_return !error;
    }

    /// What the client is still sending is read and thrown away for a while: closed at once, with
    /// that unread, the kernel would reset the connection, and the client not see the answer.
    Task<> refuse(PortalResponse refusal) {
        const bool sent = co_await send(std::move(refusal), false, false);
        if (!sent)
            co_return;
        const WaitingRoom::Seat seat(waiting_, {address_, [this] { lowest().close(); }});
        Failure ignored;
        lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
        lowest().expires_after(limits_.linger);
        std::array<char, 4096> thrown_away{};
        for (std::size_t left = limits_.lingering_bytes; left > 0;) {
            auto buffer = asio::buffer(thrown_away);
            auto [error, n] = co_await lowest().async_read_some(buffer, as_value);
            if (error)
                break;
            left -= std::min(left, n);
        }
    }

    /// Whatever can be read from now on is the end of a browser that has no more to ask here.
    void wait_for_hangup(std::weak_ptr<EventStream> events) {
        auto seen = [events](const Failure&) {
            if (const auto stream = events.lock())
                stream->close();
        };
        lowest().socket().async_wait(asio::ip::tcp::socket::wait_read, std::move(seen));
    }

    Task<> stream_events(PortalResponse answer) {
        const auto events = answer.stream;
        const auto head = to_beast(answer, false);
        std::string text = fmt::format("HTTP/1.1 {} OK\r\n", answer.status);
        for (const auto& field : head)
            text += fmt::format(
                "{}: {}\r\n", std::string_view(field.name_string()),
                std::string_view(field.value()));
        text += "\r\n";
        wait_for_hangup(events);
        StreamText next = std::make_shared<const std::string>(std::move(text));
        while (next) {
            lowest().expires_after(limits_.write);
            auto buffer = asio::buffer(*next);
            auto [error, n] = co_await asio::async_write(stream_, buffer, as_value);
            static_cast<void>(n);
            if (error)
                break;
            lowest().expires_never();
            next = co_await events->next();
        }
        events->close();
    }

    Stream& stream_;
    const PortalServer::Handler& handler_;
    const PortalLimits& limits_;
    WaitingRoom& waiting_;
    std::string address_;
    bool tls_;
    boost::beast::flat_buffer buffer_{16 * 1024};
    std::optional<Parser> parser_; ///< of the request that is read or answered
};

} // namespace longcord
