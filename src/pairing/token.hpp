// SPDX-License-Identifier: MIT
// The one line that introduces a Pi to a node: `longcord join TOKEN`. It says where the node is,
// how to know it (the fingerprint of its host key), and carries the seed of the throw-away key with
// which the Pi logs in once. Pure. A token travels by hand, so a character that was lost on the way
// is told as such, and blanks and line ends that a terminal put in are nothing.
//
// Bytes: 1 (the version); the Pi's name; the seed (32); the number of nodes; for each its name, the
// port (big endian), the host key's type and SHA-256 (1 + 32), the number of addresses, each of
// them; at last the CRC-32 of all that. A text is a byte of length and the bytes. Written as
// base64url.
#pragma once

#include "pairing/ssh_key.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

constexpr std::size_t max_token = 4096;        ///< characters
constexpr std::size_t max_token_nodes = 9;     ///< the one that was asked, and eight others
constexpr std::size_t max_token_addresses = 4; ///< of one node
constexpr std::size_t max_token_text = 253;    ///< a DNS name (RFC 1035, 3.1)

struct TokenNode {
    std::string name;
    std::uint16_t port = 22;
    std::string key_type;    ///< "ssh-ed25519"
    std::string fingerprint; ///< "SHA256:..."
    std::vector<std::string> addresses;
    bool operator==(const TokenNode&) const = default;
};

struct PairingToken {
    std::string pi;
    KeySeed seed;
    std::vector<TokenNode> nodes; ///< in the order in which they are tried
    bool operator==(const PairingToken&) const = default;
};

/// The types a token can name, the one that is to be preferred first.
const std::vector<std::string>& token_key_types();

/// What is beyond the limits above is left out; it must have at least one node with an address.
std::string format_token(const PairingToken& token);

/// ErrorKind::invalid is a sentence for the person who pasted it; it never repeats the token.
Result<PairingToken> parse_token(std::string_view text);

} // namespace longcord
