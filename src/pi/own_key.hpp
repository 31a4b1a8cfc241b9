// SPDX-License-Identifier: MIT
// The Pi's own key: made on the Pi at its first join, never leaving it. And where the rest lies
// that joining leaves on the disk.
#pragma once

#include "base/roots.hpp"
#include "link/authorized_key.hpp"

#include <filesystem>
#include <string_view>

namespace longcord {

inline std::filesystem::path joined_file(const Roots& roots) {
    return roots.state() / "joined.json";
}
inline std::filesystem::path joined_known_hosts(const Roots& roots) {
    return roots.state() / "known_hosts";
}

struct OwnKey {
    PublicKey key;
    bool made = false; ///< just now
};

/// Blocking. The key in `file`, or a new one (mode 0600, by rename). One that is there is never
/// overwritten: ErrorKind::invalid where it is no ed25519 key without passphrase.
Result<OwnKey> own_key(const std::filesystem::path& file, std::string_view comment);

} // namespace longcord
