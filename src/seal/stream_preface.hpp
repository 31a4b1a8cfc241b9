// SPDX-License-Identifier: MIT
// The first bytes of a sealed stream, in clear: a mark, a version, the ticket. A USB/IP client
// begins with its version, 0x0111, so two bytes tell the two apart.
#pragma once

#include "seal/stream_secret.hpp"

#include <array>
#include <span>

namespace longcord {

constexpr std::size_t stream_mark_size = 4;
constexpr std::size_t stream_preface_size = stream_mark_size + 4 + Ticket::size;
constexpr std::uint32_t stream_preface_version = 1;

/// "LCRD", the version (big endian), the ticket.
std::array<std::uint8_t, stream_preface_size> format_stream_preface(const Ticket& ticket);

enum class FirstBytes {
    too_few, ///< cannot be told yet
    sealed,  ///< the beginning of a stream preface
    usbip,   ///< the beginning of a USB/IP request
    neither,
};
/// Of what came so far; from the second byte on it is decided.
FirstBytes tell_first_bytes(std::span<const std::uint8_t> bytes) noexcept;

/// ErrorKind::protocol where it is not exactly a preface of a version that is spoken here.
Result<Ticket> parse_stream_preface(std::span<const std::uint8_t> bytes);

} // namespace longcord
