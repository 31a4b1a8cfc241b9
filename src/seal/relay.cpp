// SPDX-License-Identifier: MIT
#include "seal/relay.hpp"

#include "base/spawn.hpp"
#include "base/task.hpp"
#include "seal/record.hpp"

#include <array>
#include <pthread.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include <signal.h>
#include <sys/socket.h>

namespace longcord {

namespace {

/// Four records: enough to keep the other thread and the network busy, little enough to be fair.
constexpr std::size_t chunk_size = 4 * max_record_content;

class Relay : public std::enable_shared_from_this<Relay> {
  public:
    Relay(
        asio::io_context& loop, UniqueFd clear, UniqueFd wire, const SealKey& send,
        const SealKey& receive)
        : clear_(loop, asio::local::stream_protocol(), clear.release()),
          wire_(loop, protocol_of(wire.get()), wire.get()), sealer_(send), opener_(receive) {
        wire.release();
    }

    void start(asio::io_context& loop) {
        auto self = shared_from_this();
        spawn_guarded(loop, "sealing relay", seal(self));
        spawn_guarded(loop, "opening relay", open(self));
    }

  private:
    static asio::ip::tcp protocol_of(int socket) {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
        return address.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
    }

    /// Static, with its own hold on the object: it lives as long as either direction runs.
    static Task<> seal(std::shared_ptr<Relay> self) {
        std::array<char, chunk_size> chunk;
        std::string records;
        for (;;) {
            const auto buffer = asio::buffer(chunk);
            const auto [ended, size] = co_await self->clear_.async_read_some(buffer, as_value);
            if (ended)
                break;
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
                break;
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

    /// shutdown, not close: the other direction may have an operation on either socket.
    void end() {
        ::shutdown(clear_.native_handle(), SHUT_RDWR);
        ::shutdown(wire_.native_handle(), SHUT_RDWR);
    }

    asio::local::stream_protocol::socket clear_;
    asio::ip::tcp::socket wire_;
    RecordSealer sealer_;
    RecordOpener opener_;
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
    UniqueFd clear, UniqueFd wire, const SealKey& send, const SealKey& receive) {
    auto relay = std::make_shared<Relay>(loop_, std::move(clear), std::move(wire), send, receive);
    asio::post(loop_, [this, relay] { relay->start(loop_); });
}

} // namespace longcord
