// SPDX-License-Identifier: MIT
// The steps from a TCP connection to a login at a node, one function each: the link goes through
// them, and so does the test of a connection, which says what came of each.
#pragma once

#include "link/ssh_session.hpp"

#include <memory>

#include <libssh/libssh.h>

namespace longcord {

/// Closes the session's socket, be it open still or closed by libssh already.
struct FreeSshSession {
    void operator()(ssh_session session) const noexcept;
};
using SshHandle = std::unique_ptr<ssh_session_struct, FreeSshSession>;

/// For a connected socket, which stays the caller's: libssh gets a descriptor of its own, since it
/// closes the one it has when a write fails. Connect it, or that one stays open. Nothing is read
/// from ~/.ssh or /etc/ssh: what this session does is in LinkTarget.
SshHandle make_ssh_session(const LinkTarget& target, int tcp);
/// libssh's own words, with the host's name before.
Error ssh_lost(const LinkTarget& target, ssh_session session);

/// ErrorKind::refused: it is another one than `target` wants.
Result<> check_host_key(ssh_session session, const LinkTarget& target);
/// By the key of `target`. ErrorKind::refused in words that say what to do.
Result<> ssh_log_in(ssh_session session, const LinkTarget& target);

} // namespace longcord
