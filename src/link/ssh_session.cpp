// SPDX-License-Identifier: MIT
#include "link/ssh_session.hpp"

#include "base/text.hpp"
#include "link/host_key.hpp"
#include "link/ssh_login.hpp"
#include "link/tcp_connect.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <memory>

#include <libssh/libssh.h>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace longcord {

namespace {

constexpr std::size_t max_last_words = 500;
constexpr std::uint32_t chunk_size = 16 * 1024;

struct FreeChannel {
    void operator()(ssh_channel channel) const noexcept { ::ssh_channel_free(channel); }
};
using Channel = std::unique_ptr<ssh_channel_struct, FreeChannel>;

Result<Channel> open_channel(ssh_session session, const LinkTarget& target) {
    Channel channel(::ssh_channel_new(session));
    // The command's text is of no account: the key's forced command runs.
    if (!channel || ::ssh_channel_open_session(channel.get()) != SSH_OK ||
        ::ssh_channel_request_exec(channel.get(), "longcord-link") != SSH_OK)
        return ssh_lost(target, session);
    return channel;
}

bool send_all(int fd, const char* data, std::size_t size) {
    while (size > 0) {
        const ssize_t n = ::send(fd, data, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

class Pump {
  public:
    Pump(ssh_session session, ssh_channel channel, int bytes, int stop)
        : session_(session), channel_(channel), bytes_(bytes), stop_(stop) {}

    /// Until either end has enough.
    void run() {
        while (from_channel() && !::ssh_channel_is_eof(channel_) &&
               !::ssh_channel_is_closed(channel_) && ::ssh_is_connected(session_)) {
            const bool pending = ::ssh_get_poll_flags(session_) & SSH_WRITE_PENDING;
            const short tcp_events = pending ? POLLIN | POLLOUT : POLLIN;
            std::array<pollfd, 3> fds{
                {{::ssh_get_fd(session_), tcp_events, 0}, {bytes_, POLLIN, 0}, {stop_, POLLIN, 0}}};
            if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR)
                return;
            if (fds[2].revents != 0 || (fds[1].revents != 0 && !to_channel()))
                return;
        }
    }

    /// The last line that the forced command (or sshd) wrote to stderr.
    std::string last_words() const {
        const std::string_view text = trim(last_words_);
        const auto begin = text.rfind('\n');
        return printable(begin == text.npos ? text : text.substr(begin + 1));
    }

  private:
    bool from_channel() {
        for (;;) {
            const int n = ::ssh_channel_read_nonblocking(channel_, chunk_.data(), chunk_size, 0);
            if (n > 0 && !send_all(bytes_, chunk_.data(), static_cast<std::size_t>(n)))
                return false;
            const int m = ::ssh_channel_read_nonblocking(channel_, chunk_.data(), chunk_size, 1);
            if (m > 0)
                keep_words({chunk_.data(), static_cast<std::size_t>(m)});
            if (n == SSH_ERROR || m == SSH_ERROR)
                return false;
            if (n <= 0 && m <= 0)
                return true;
        }
    }

    void keep_words(std::string_view text) {
        last_words_ += text;
        if (last_words_.size() > max_last_words)
            last_words_.erase(0, last_words_.size() - max_last_words);
    }

    bool to_channel() {
        const ssize_t n = ::recv(bytes_, chunk_.data(), chunk_.size(), MSG_DONTWAIT);
        if (n < 0)
            return errno == EINTR || errno == EAGAIN;
        return n > 0 && ::ssh_channel_write(channel_, chunk_.data(), static_cast<uint32_t>(n)) == n;
    }

    ssh_session session_;
    ssh_channel channel_;
    int bytes_;
    int stop_;
    std::array<char, chunk_size> chunk_;
    std::string last_words_;
};

} // namespace

SshSession::SshSession(LinkTarget target, UniqueFd bytes)
    : target_(std::move(target)), bytes_(std::move(bytes)), stop_(::eventfd(0, EFD_CLOEXEC)) {
    // Signals are for the loop's thread; a SIGPIPE of libssh's writes stays pending here for ever.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

SshSession::~SshSession() {
    end();
}

void SshSession::end() {
    stopping_ = true;
    ::eventfd_write(stop_.get(), 1);
    {
        const std::lock_guard lock(mutex_);
        if (tcp_ >= 0)
            // Whatever libssh waits for, it reads the end of the stream now. Its writes must not
            // fail: after one that does, 0.10 closes its socket and still waits for an answer, for
            // all of its 10 s.
            ::shutdown(tcp_, SHUT_RD);
    }
    if (thread_.joinable())
        thread_.join();
}

Error SshSession::outcome() {
    end();
    return outcome_;
}

std::string SshSession::host_key() {
    const std::lock_guard lock(mutex_);
    return host_key_;
}

std::optional<std::chrono::microseconds> SshSession::round_trip() {
    const std::lock_guard lock(mutex_);
    tcp_info info{};
    socklen_t size = sizeof info;
    if (tcp_ < 0 || ::getsockopt(tcp_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return std::nullopt;
    return std::chrono::microseconds(info.tcpi_rtt);
}

bool SshSession::hold(int tcp) {
    const std::lock_guard lock(mutex_);
    tcp_ = tcp;
    return !stopping_;
}

void SshSession::run() {
    outcome_ = work();
    connected_ = false;
    bytes_.reset();
}

static std::string peer_of(int tcp) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    char text[NI_MAXHOST] = {};
    if (::getpeername(tcp, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        ::getnameinfo(
            reinterpret_cast<const sockaddr*>(&address), size, text, sizeof text, nullptr, 0,
            NI_NUMERICHOST) != 0)
        return {};
    const std::string found = text;
    return found.substr(0, found.find('%'));
}

Error SshSession::work() {
    const auto tcp = connect_tcp(target_.host, target_.port, stop_.get());
    if (!tcp)
        return tcp.error();
    // tcp_ is this function's, and must not outlive it.
    struct Release {
        SshSession& owner;
        ~Release() { owner.hold(-1); }
    } const release{*this};
    if (!hold(tcp->get()))
        return fail(ErrorKind::unavailable, "{}: stopped", target_.host);
    const SshHandle session = make_ssh_session(target_, tcp->get());
    if (::ssh_connect(session.get()) != SSH_OK)
        return ssh_lost(target_, session.get());
    if (auto known = check_host_key(session.get(), target_); !known)
        return known.error();
    {
        const std::lock_guard lock(mutex_);
        host_key_ = host_key_of(session.get());
    }
    if (auto in = ssh_log_in(session.get(), target_); !in)
        return in.error();
    const auto channel = open_channel(session.get(), target_);
    if (!channel)
        return channel.error();
    peer_ = peer_of(tcp->get());
    connected_ = true;
    Pump pump(session.get(), channel->get(), bytes_.get(), stop_.get());
    pump.run();
    const std::string words = pump.last_words();
    return fail(
        ErrorKind::unavailable, "{}: the SSH session has ended{}{}", target_.host,
        words.empty() ? "" : ": ", words);
}

} // namespace longcord
