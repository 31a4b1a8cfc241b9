// SPDX-License-Identifier: MIT
#include "link/ssh_session.hpp"

#include "base/text.hpp"
#include "link/host_key.hpp"
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

constexpr long answer_seconds = 10; // for each answer that libssh waits for
constexpr std::size_t max_last_words = 500;
constexpr std::uint32_t chunk_size = 16 * 1024;

struct FreeSession {
    void operator()(ssh_session session) const noexcept {
        ::ssh_disconnect(session);
        ::ssh_free(session);
    }
};
struct FreeChannel {
    void operator()(ssh_channel channel) const noexcept { ::ssh_channel_free(channel); }
};
struct FreeKey {
    void operator()(ssh_key key) const noexcept { ::ssh_key_free(key); }
};
using Session = std::unique_ptr<ssh_session_struct, FreeSession>;
using Channel = std::unique_ptr<ssh_channel_struct, FreeChannel>;
using Key = std::unique_ptr<ssh_key_struct, FreeKey>;

Error lost(const LinkTarget& target, ssh_session session) {
    return fail(
        ErrorKind::unavailable, "{}: {}", target.host,
        printable(::ssh_get_error(session), max_last_words));
}

/// Nothing is read from ~/.ssh or /etc/ssh: what this session does is in LinkTarget.
Session make_session(const LinkTarget& target, int tcp) {
    Session session(::ssh_new());
    const auto set = [&](ssh_options_e option, const void* value) {
        ::ssh_options_set(session.get(), option, value);
    };
    const bool process_config = false;
    const unsigned port = target.port;
    const socket_t fd = tcp;
    set(SSH_OPTIONS_PROCESS_CONFIG, &process_config);
    set(SSH_OPTIONS_HOST, target.host.c_str());
    set(SSH_OPTIONS_PORT, &port);
    set(SSH_OPTIONS_USER, target.user.c_str());
    set(SSH_OPTIONS_KNOWNHOSTS, target.known_hosts.c_str());
    set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
    set(SSH_OPTIONS_TIMEOUT, &answer_seconds);
    set(SSH_OPTIONS_FD, &fd);
    if (!target.pinned_type.empty())
        set(SSH_OPTIONS_HOSTKEYS, target.pinned_type == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256"
                                                                  : target.pinned_type.c_str());
    return session;
}

Result<Key> private_key(const LinkTarget& target) {
    ssh_key raw = nullptr;
    const int read =
        target.identity_text.empty()
            ? ::ssh_pki_import_privkey_file(target.identity.c_str(), "", nullptr, nullptr, &raw)
            : ::ssh_pki_import_privkey_base64(
                  target.identity_text.c_str(), nullptr, nullptr, nullptr, &raw);
    if (read != SSH_OK)
        return fail(
            ErrorKind::refused, "{}: no private key without passphrase can be read",
            target.identity.string());
    return Key(raw);
}

Result<> log_in(ssh_session session, const LinkTarget& target) {
    const auto loaded = private_key(target);
    if (!loaded)
        return loaded.error();
    const Key& key = *loaded;
    switch (::ssh_userauth_publickey(session, nullptr, key.get())) {
    case SSH_AUTH_SUCCESS:
        return {};
    case SSH_AUTH_PARTIAL:
        return fail(
            ErrorKind::refused,
            "{}: sshd wants more than the key of {}: is "
            "/etc/ssh/sshd_config.d/50-longcord.conf there?",
            target.host, target.user);
    case SSH_AUTH_DENIED:
        if (!target.identity_text.empty())
            return fail(
                ErrorKind::refused,
                "{}: the token is not good there (any more): it is older than 10 minutes, or "
                "another was made after it",
                target.host);
        return fail(
            ErrorKind::refused, "{}: sshd refuses {} for user {}; pair this Pi (again)",
            target.host, target.identity.string(), target.user);
    default:
        return lost(target, session);
    }
}

Result<Channel> open_channel(ssh_session session, const LinkTarget& target) {
    Channel channel(::ssh_channel_new(session));
    // The command's text is of no account: the key's forced command runs.
    if (!channel || ::ssh_channel_open_session(channel.get()) != SSH_OK ||
        ::ssh_channel_request_exec(channel.get(), "longcord-link") != SSH_OK)
        return lost(target, session);
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
    stopping_ = true;
    ::eventfd_write(stop_.get(), 1);
    {
        const std::lock_guard lock(mutex_);
        if (tcp_ >= 0)
            ::shutdown(tcp_, SHUT_RDWR); // whatever libssh waits for, it ends now
    }
    if (thread_.joinable())
        thread_.join();
}

Error SshSession::outcome() {
    if (thread_.joinable())
        thread_.join();
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
    // Declared before the session: libssh does not close a socket it was given.
    struct Release {
        SshSession& owner;
        ~Release() { owner.hold(-1); }
    } const release{*this};
    if (!hold(tcp->get()))
        return fail(ErrorKind::unavailable, "{}: stopped", target_.host);
    const Session session = make_session(target_, tcp->get());
    if (::ssh_connect(session.get()) != SSH_OK)
        return lost(target_, session.get());
    auto known =
        target_.pinned_fingerprint.empty()
            ? check_host_key(session.get(), target_.host, target_.port, target_.known_hosts)
            : check_pinned_host_key(session.get(), target_.host, target_.pinned_fingerprint);
    if (!known)
        return known.error();
    {
        const std::lock_guard lock(mutex_);
        host_key_ = host_key_of(session.get());
    }
    if (auto in = log_in(session.get(), target_); !in)
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
