// SPDX-License-Identifier: MIT
#include "seal/relay.hpp"

#include "base/spawn.hpp"
#include "base/task.hpp"
#include "seal/record.hpp"

#include <array>
#include <csignal>
#include <pthread.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include <sys/socket.h>

namespace longcord {

namespace {

/// Four records: enough to keep the other thread and the network busy, little enough to be fair.
constexpr std::size_t chunk_size = 4 * max_record_content;

class Relay : public std::enable_shared_from_this<Relay> {
  public:
    Relay(
        asio::io_context& loop, UniqueFd clear, UniqueFd wire, const SealKey& send,
        const SealKey& receive, RelayThread::Ends ends)
        : clear_(loop, protocol_of(clear.get()), clear.get()),
          wire_(loop, protocol_of(wire.get()), wire.get()), sealer_(send), opener_(receive),
          ends_(std::move(ends)), linger_(loop) {
        clear.release();
        wire.release();
    }
    ~Relay() {
        if (ends_.over)
            ends_.over();
    }
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    void start(asio::io_context& loop) {
        auto self = shared_from_this();
        spawn_guarded(loop, "sealing relay", seal(self));
        spawn_guarded(loop, "opening relay", open(self));
    }

  private:
    using Protocol = asio::generic::stream_protocol;

    static Protocol protocol_of(int socket) {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
        return {address.ss_family, 0};
    }

    /// Static, with its own hold on the object: it lives as long as either direction runs.
    static Task<> seal(std::shared_ptr<Relay> self) {
        std::array<char, chunk_size> chunk;
        std::string records;
        for (;;) {
            const auto buffer = asio::buffer(chunk);
            const auto [ended, size] = co_await self->clear_.async_read_some(buffer, as_value);
            if (ended)
                co_return self->half_end(self->wire_);
            records.clear();
            if (const auto sealed = self->sealer_.seal({chunk.data(), size}, records); !sealed) {
                spdlog::error("a stream ends: {}", sealed.error().message);
                break;
            }
            const auto data = asio::buffer(records);
            const auto [lost, sent] = co_await asio::async_write(self->wire_, data, as_value);
            if (lost)
                break;
        }
        self->end();
    }

    static Task<> open(std::shared_ptr<Relay> self) {
        std::array<char, chunk_size> chunk;
        std::string content;
        for (;;) {
            const auto buffer = asio::buffer(chunk);
            const auto [ended, size] = co_await self->wire_.async_read_some(buffer, as_value);
            if (ended)
                co_return self->half_end(self->clear_);
            content.clear();
            const auto opened = self->opener_.open({chunk.data(), size}, content);
            // What came whole before the bad record is good.
            const auto data = asio::buffer(content);
            const auto [lost, sent] = co_await asio::async_write(self->clear_, data, as_value);
            if (!opened)
                spdlog::warn("a stream ends: {}", opened.error().message);
            if (lost || !opened)
                break;
        }
        self->end();
    }

    /// One direction is over; `to` hears of it.
    void half_end(Protocol::socket& to) {
        if (ends_.linger == milliseconds(0))
            return end();
        ::shutdown(to.native_handle(), SHUT_WR);
        linger_.expires_after(ends_.linger);
        linger_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
            const auto self = weak.lock();
            if (!error && self)
                self->end();
        });
    }

    /// shutdown, not close: the other direction may have an operation on either socket.
    void end() {
        ::shutdown(clear_.native_handle(), SHUT_RDWR);
        ::shutdown(wire_.native_handle(), SHUT_RDWR);
    }

    Protocol::socket clear_;
    Protocol::socket wire_;
    RecordSealer sealer_;
    RecordOpener opener_;
    RelayThread::Ends ends_;
    asio::steady_timer linger_;
};

} // namespace

RelayThread::RelayThread() : work_(loop_.get_executor()) {
    // Signals are the main loop's.
    sigset_t all{};
    sigset_t before{};
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { loop_.run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

RelayThread::~RelayThread() {
    loop_.stop();
    thread_.join();
}

void RelayThread::carry(
    UniqueFd clear, UniqueFd wire, const SealKey& send, const SealKey& receive, Ends ends) {
    auto relay = std::make_shared<Relay>(
        loop_, std::move(clear), std::move(wire), send, receive, std::move(ends));
    asio::post(loop_, [this, relay] { relay->start(loop_); });
}

} // namespace longcord
