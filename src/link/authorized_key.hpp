// SPDX-License-Identifier: MIT
// A Pi's public key as sshd shall see it. The file is named after the Pi and holds one public key
// line, as ssh-keygen writes it; what may be done with the key is said here and nowhere else, so a
// file that brings its own options is refused.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace longcord {

constexpr std::size_t max_key_file = 16 * 1024;

struct PublicKey {
    std::string type; ///< "ssh-ed25519"
    std::string blob; ///< base64
    bool operator==(const PublicKey&) const = default;
};

/// One line "type base64 [comment]", a newline at its end or not. The type must be one that OpenSSH
/// takes for users, and the one the key itself names.
Result<PublicKey> parse_public_key(std::string_view content);

/// `restrict,command="PROGRAM --pi NAME --key FINGERPRINT" TYPE BLOB`, one line of authorized_keys
/// without its newline. `program` must be free of quotes, backslashes and newlines. The fingerprint
/// ("SHA256:...") tells the service which key it was, so that a link ends with its key.
std::string authorized_keys_line(
    std::string_view program, std::string_view pi, std::string_view fingerprint,
    const PublicKey& key);

} // namespace longcord
