// SPDX-License-Identifier: MIT
#include "seal/stream_secret.hpp"

#include "base/text.hpp"

#include <cerrno>

#include <sys/random.h>

namespace longcord {

static Result<> fill(std::uint8_t* bytes, std::size_t size) {
    // Up to 256 bytes come at once, once the kernel has gathered any (getrandom(2)).
    const ssize_t got = ::getrandom(bytes, size, 0);
    if (got < 0 || static_cast<std::size_t>(got) != size)
        return fail_errno(got < 0 ? errno : EAGAIN, "getrandom");
    return {};
}

Result<StreamSecret> make_stream_secret() {
    StreamSecret secret;
    for (auto* key : {&secret.from_node, &secret.from_pi}) {
        if (auto filled = fill(key->key.data(), key->key.size); !filled)
            return filled.error();
        if (auto filled = fill(key->iv.data(), key->iv.size); !filled)
            return filled.error();
    }
    if (auto filled = fill(secret.ticket.data(), secret.ticket.size); !filled)
        return filled.error();
    return secret;
}

std::string to_hex(const std::uint8_t* bytes, std::size_t size) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * size);
    for (std::size_t i = 0; i < size; ++i) {
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 0xf];
    }
    return text;
}

bool from_hex(std::string_view text, std::uint8_t* bytes, std::size_t size) noexcept {
    if (text.size() != 2 * size)
        return false;
    for (std::size_t i = 0; i < size; ++i) {
        const auto byte = parse_hex(text.substr(2 * i, 2), 0xff);
        if (!byte)
            return false;
        bytes[i] = static_cast<std::uint8_t>(*byte);
    }
    return true;
}

} // namespace longcord
