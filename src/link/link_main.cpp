// SPDX-License-Identifier: MIT
// longcord-link: the forced command of a Pi's SSH key. It carries lines between the Pi (stdin,
// stdout) and the service (link.sock), and says whose they are. It outlives the service: when that
// goes it keeps the SSH session, drops what the Pi says, and connects again. It ends with the SSH
// session.
//
//     longcord-link --pi NAME [--key FINGERPRINT]
//     (with `connect BUSID` or `disconnect BUSID` as the login's command: a Pi without our package)
//     longcord-link --pair NAME --key FINGERPRINT     of a pairing's throw-away key: one connection
#include "base/core_dumps.hpp"
#include "base/roots.hpp"
#include "base/spawn.hpp"
#include "link/line_gate.hpp"
#include "link/line_socket.hpp"
#include "link/preface.hpp"
#include "link/push.hpp"
#include "usb/place.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/write.hpp>
#include <fmt/core.h>

#include <unistd.h>

namespace longcord {

namespace {

constexpr milliseconds first_pause{100};
constexpr milliseconds longest_pause{1000};

std::uint64_t boot_time_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

class Carrier {
  public:
    Carrier(asio::io_context& loop, std::string socket, const Preface& preface)
        : loop_(loop), path_(std::move(socket)), first_line_(format(preface) + '\n'),
          once_(preface.pairing), in_(loop, STDIN_FILENO), out_(loop, STDOUT_FILENO) {}

    void start() {
        spawn_guarded(loop_, "from the service", once_ ? from_service_once() : from_service());
        if (!once_)
            spawn_guarded(loop_, "from the Pi", from_pi());
    }

  private:
    Task<> from_pi() {
        std::array<char, 16 * 1024> chunk;
        for (;;) {
            const auto buffer = asio::buffer(chunk);
            const auto [error, size] = co_await in_.async_read_some(buffer, as_value);
            if (error) {
                // The SSH session is over; or all that is to be handed over was, and the answer
                // is still to come.
                if (!once_)
                    loop_.stop();
                co_return;
            }
            const auto lines = gate_.pass({chunk.data(), size});
            const auto connection = connection_;
            if (lines.empty() || !connection)
                continue;
            const auto data = asio::buffer(lines.data(), lines.size());
            // A service that does not read lets the Pi wait; one that goes away fails the write,
            // and from_service() notices too.
            co_await asio::async_write(*connection, data, as_value);
        }
    }

    Task<> from_service() {
        for (milliseconds pause = first_pause;; pause = std::min(2 * pause, longest_pause)) {
            const bool served = co_await one_connection();
            if (served)
                pause = first_pause;
            co_await sleep_for(pause);
        }
    }

    /// Nothing of what a Pi that is being paired says may be lost: it is read once the service is
    /// there, and one that is not there is said.
    Task<> from_service_once() {
        const bool served = co_await one_connection();
        if (!served)
            fmt::print(
                stderr, "longcord-host did not answer on this node; does it run there "
                        "(systemctl status longcord-host)?\n");
        loop_.stop();
    }

    /// True once the service has said something.
    Task<bool> one_connection() {
        auto socket = std::make_shared<LineSocket::Socket>(loop_);
        const asio::local::stream_protocol::endpoint endpoint(path_);
        const auto [refused] = co_await socket->async_connect(endpoint, as_value);
        if (refused)
            co_return false;
        const auto preface = asio::buffer(first_line_);
        const auto [unsent, size] = co_await asio::async_write(*socket, preface, as_value);
        if (unsent)
            co_return false;
        connection_ = socket;
        gate_.open();
        if (once_)
            spawn_guarded(loop_, "from the Pi", from_pi());
        const bool served = co_await carry_lines(*socket);
        gate_.close();
        connection_.reset();
        boost::system::error_code ignored;
        socket->close(ignored);
        co_return served;
    }

    /// Whole lines only: one that the service did not finish never reaches the Pi.
    Task<bool> carry_lines(LineSocket::Socket& socket) {
        LineFramer framer(max_link_line);
        std::array<char, 16 * 1024> chunk;
        bool served = false;
        for (;;) {
            const auto buffer = asio::buffer(chunk);
            const auto [error, size] = co_await socket.async_read_some(buffer, as_value);
            if (error)
                co_return served;
            framer.push({chunk.data(), size});
            while (auto line = framer.next()) {
                if (line->too_long)
                    continue;
                served = true;
                const bool final = is_final(line->text);
                line->text += '\n';
                const auto data = asio::buffer(line->text);
                const auto [gone, sent] = co_await asio::async_write(out_, data, as_value);
                if (gone || final) {
                    loop_.stop();
                    co_return served;
                }
            }
        }
    }

    static bool is_final(const std::string& line) {
        const auto message = parse_host_message(line);
        const auto* error = message ? std::get_if<LinkError>(&*message) : nullptr;
        return error && error->final;
    }

    asio::io_context& loop_;
    std::string path_;
    std::string first_line_;
    bool once_;
    asio::posix::stream_descriptor in_;
    asio::posix::stream_descriptor out_;
    std::shared_ptr<LineSocket::Socket> connection_;
    LineGate gate_;
};

int run(Preface preface, const char* ssh_connection) {
    const auto address = address_from_ssh_connection(ssh_connection ? ssh_connection : "");
    if (!address) {
        fmt::print(stderr, "longcord-link: is started by sshd only: {}\n", address.error().message);
        return 2;
    }
    preface.address = *address;
    preface.started = boot_time_ms();
    const auto socket = Roots::from_environment().run() / "link.sock";
    if (!preface.command.empty())
        return push(socket, preface);
    asio::io_context loop(1);
    Carrier carrier(loop, socket.string(), preface);
    carrier.start();
    loop.run();
    return guarded_task_failed() ? 1 : 0;
}

/// What the login asked for, where that is not the link itself.
std::string push_words(const std::string& said) {
    return said == "longcord-link" ? std::string() : said;
}

/// The forced command's words; nullopt for others.
std::optional<Preface> preface_from(const std::vector<std::string>& words) {
    Preface preface;
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
        if (words[i] == "--pi" || words[i] == "--pair") {
            preface.pi = words[i + 1];
            preface.pairing = words[i] == "--pair";
        } else if (words[i] == "--key") {
            preface.key = words[i + 1];
        } else {
            return std::nullopt;
        }
    }
    if (words.size() % 2 != 0 || !is_pi_name(preface.pi))
        return std::nullopt;
    return preface;
}

} // namespace

} // namespace longcord

int main(int argc, char** argv) {
    auto preface = longcord::preface_from({argv + 1, argv + argc});
    if (!preface) {
        fmt::print(
            stderr, "usage: longcord-link --pi NAME [--key FINGERPRINT] (the forced command of a "
                    "Pi's key)\n");
        return 2;
    }
    longcord::forbid_core_dumps();
    std::signal(SIGPIPE, SIG_IGN);
    // NOLINTBEGIN(concurrency-mt-unsafe): there is one thread
    const char* said = std::getenv("SSH_ORIGINAL_COMMAND");
    if (!preface->pairing)
        preface->command = longcord::push_words(said ? said : "");
    return longcord::run(std::move(*preface), std::getenv("SSH_CONNECTION"));
    // NOLINTEND(concurrency-mt-unsafe)
}
