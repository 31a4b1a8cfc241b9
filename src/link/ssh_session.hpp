// SPDX-License-Identifier: MIT
// One SSH session to a node, in a thread of its own: libssh blocks, and a session with its channel
// must stay in one thread. The thread is a pump: bytes of the channel go to a socketpair and back.
// When the session has ended, for whatever reason, its end of the socketpair is closed.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace longcord {

struct LinkTarget {
    std::string host;
    unsigned port = 22;
    std::string user = "longcord";
    std::filesystem::path identity;    ///< private key, OpenSSH format, no passphrase
    std::filesystem::path known_hosts; ///< the only place where the node's key is looked up

    /// For a pairing, in place of the two files: a private key in OpenSSH format, and the one host
    /// key that will do ("ssh-ed25519", "SHA256:...").
    std::string identity_text{};
    std::string pinned_type{};
    std::string pinned_fingerprint{};
};

constexpr seconds ssh_answer_deadline{10}; ///< for each answer that libssh waits for

class SshSession {
  public:
    /// `bytes` is a blocking stream socket.
    SshSession(LinkTarget target, UniqueFd bytes);
    /// Stops it; takes no longer than the system call under way.
    ~SshSession();
    SshSession(const SshSession&) = delete;
    SshSession& operator=(const SshSession&) = delete;

    /// Logged in, and the forced command runs.
    bool connected() const noexcept { return connected_; }
    /// The host key that was offered and found to be the right one ("ssh-ed25519 AAAA..."); empty
    /// before.
    std::string host_key();
    /// As the kernel measures it on the TCP connection (TCP_INFO); none without one.
    std::optional<std::chrono::microseconds> round_trip();
    /// The node's address, without a zone. Only while connected().
    const std::string& peer() const noexcept { return peer_; }
    /// Why it ended: ErrorKind::refused for a host key or a login that did not fit. Stops it, so
    /// ask after the other end of `bytes` has read its end, or is not wanted any more.
    Error outcome();

  private:
    void end();
    void run();
    Error work();
    bool hold(int tcp);

    LinkTarget target_;
    UniqueFd bytes_;
    UniqueFd stop_;
    std::atomic<bool> stopping_ = false;
    std::atomic<bool> connected_ = false;
    std::string peer_; ///< written by the thread before connected_, and not again
    std::mutex mutex_; ///< guards tcp_ (what the destructor may shut down) and host_key_
    int tcp_ = -1;
    std::string host_key_;
    Error outcome_;
    std::thread thread_;
};

} // namespace longcord
