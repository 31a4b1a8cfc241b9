// SPDX-License-Identifier: MIT
// ed25519 keys in OpenSSH's forms. A pairing's throw-away key is made of its seed on both ends: the
// node needs the public half, for sshd; the Pi the private one, for libssh. The Pi's own key is
// made here too. The one file of this room that touches libcrypto.
#pragma once

#include "base/error.hpp"
#include "link/authorized_key.hpp"
#include "seal/stream_secret.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace longcord {

/// The secret half of an ed25519 key (RFC 8032, 5.1.5). Wiped when it goes.
using KeySeed = SecretBytes<32>;

/// Fresh from the kernel.
Result<KeySeed> make_key_seed();

/// "ssh-ed25519 AAAA...": what an ed25519 seed's public half is to sshd.
Result<PublicKey> public_key_of(const KeySeed& seed);

/// The private key file as ssh-keygen writes it, without a passphrase ("openssh-key-v1": OpenSSH's
/// PROTOCOL.key).
Result<std::string> private_key_file(const KeySeed& seed, std::string_view comment);

/// "SHA256:..." as `ssh-keygen -l` shows it.
std::string fingerprint_of(const PublicKey& key);

constexpr std::size_t fingerprint_size = 32; ///< bytes of a SHA-256

/// The bytes behind a fingerprint, and back; nullopt for what is none.
std::optional<std::string> fingerprint_bytes(std::string_view fingerprint);
std::string fingerprint_text(std::string_view bytes);

} // namespace longcord
