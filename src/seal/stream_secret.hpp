// SPDX-License-Identifier: MIT
// What makes one stream this node's and nobody else's: a ticket, which the node shows to the Pi's
// port 3240, and the keys that protect the stream from there on. The node makes both anew for each
// stream and sends them over the link, which has authenticated both ends already. They are used
// once, are never written to a disk or a log, and are wiped where they are no longer needed.
#pragma once

#include "base/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace longcord {

/// Bytes that are wiped when they go, and that no log can format by accident.
template <std::size_t Size> class SecretBytes {
  public:
    static constexpr std::size_t size = Size;

    SecretBytes() = default;
    SecretBytes(const SecretBytes&) = default;
    SecretBytes& operator=(const SecretBytes&) = default;
    ~SecretBytes() { wipe(); }

    std::uint8_t* data() noexcept { return bytes_.data(); }
    const std::uint8_t* data() const noexcept { return bytes_.data(); }
    /// In a time that does not depend on where the two differ.
    bool operator==(const SecretBytes& other) const noexcept {
        unsigned different = 0;
        for (std::size_t i = 0; i < Size; ++i)
            different |= static_cast<unsigned>(bytes_[i] ^ other.bytes_[i]);
        return different == 0;
    }

  private:
    void wipe() noexcept {
        volatile std::uint8_t* at = bytes_.data();
        for (std::size_t i = 0; i < Size; ++i)
            at[i] = 0;
    }

    std::array<std::uint8_t, Size> bytes_{};
};

/// Shown once, within 10 s.
using Ticket = SecretBytes<32>;

/// One direction of a stream: ChaCha20-Poly1305 (RFC 8439). The nonce of record N is `iv` xor N
/// (RFC 8446, 5.3).
struct SealKey {
    SecretBytes<32> key;
    SecretBytes<12> iv;
    bool operator==(const SealKey&) const = default;
};

struct StreamSecret {
    Ticket ticket;
    SealKey from_node;
    SealKey from_pi;
    bool operator==(const StreamSecret&) const = default;
};

/// Fresh from the kernel (getrandom); ErrorKind::system where it has none.
Result<StreamSecret> make_stream_secret();

/// Hexadecimal, for `open` on the link only.
std::string to_hex(const std::uint8_t* bytes, std::size_t size);
/// False where it is not exactly `size` bytes in hexadecimal.
bool from_hex(std::string_view text, std::uint8_t* bytes, std::size_t size) noexcept;

} // namespace longcord
