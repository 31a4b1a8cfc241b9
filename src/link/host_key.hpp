// SPDX-License-Identifier: MIT
// Is the machine at the other end the node it should be? The pinned key in our own known_hosts file
// decides, nothing else: no trust on first use, no system-wide file, no question to anybody.
#pragma once

#include "base/error.hpp"

#include <filesystem>
#include <string>

#include <libssh/libssh.h>

namespace longcord {

/// For a session that has its keys exchanged. ErrorKind::refused names both fingerprints.
Result<> check_host_key(
    ssh_session session, const std::string& host, unsigned port,
    const std::filesystem::path& known_hosts);

/// The same against one fingerprint ("SHA256:..."), which came by hand.
Result<> check_pinned_host_key(
    ssh_session session, const std::string& host, const std::string& fingerprint);

/// "ssh-ed25519 AAAA...", the key that this session's other end has shown.
std::string host_key_of(ssh_session session);

} // namespace longcord
