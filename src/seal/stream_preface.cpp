// SPDX-License-Identifier: MIT
#include "seal/stream_preface.hpp"

#include <algorithm>
#include <cstring>

namespace longcord {

static constexpr std::array<std::uint8_t, stream_mark_size> mark{'L', 'C', 'R', 'D'};
static constexpr std::array<std::uint8_t, 2> usbip_version{0x01, 0x11}; // USB/IP 1.1.1

std::array<std::uint8_t, stream_preface_size> format_stream_preface(const Ticket& ticket) {
    std::array<std::uint8_t, stream_preface_size> bytes{};
    std::ranges::copy(mark, bytes.begin());
    bytes[stream_mark_size + 3] = stream_preface_version;
    std::memcpy(bytes.data() + stream_mark_size + 4, ticket.data(), ticket.size);
    return bytes;
}

FirstBytes tell_first_bytes(std::span<const std::uint8_t> bytes) noexcept {
    const auto begins_as = [bytes](std::span<const std::uint8_t> model) {
        const auto size = std::min(bytes.size(), model.size());
        return std::ranges::equal(bytes.first(size), model.first(size));
    };
    const bool sealed = begins_as(mark);
    const bool usbip = begins_as(usbip_version);
    if (!sealed && !usbip)
        return FirstBytes::neither;
    if (bytes.size() < 2)
        return FirstBytes::too_few;
    return sealed ? FirstBytes::sealed : FirstBytes::usbip;
}

Result<Ticket> parse_stream_preface(std::span<const std::uint8_t> bytes) {
    if (bytes.size() != stream_preface_size || tell_first_bytes(bytes) != FirstBytes::sealed)
        return fail(ErrorKind::protocol, "this is no preface of a stream");
    std::uint32_t version = 0;
    for (std::size_t i = 0; i < 4; ++i)
        version = version << 8 | bytes[stream_mark_size + i];
    if (version != stream_preface_version)
        return fail(
            ErrorKind::protocol,
            "the stream preface has version {}, this side speaks {}: update "
            "the older one",
            version, stream_preface_version);
    Ticket ticket;
    std::memcpy(ticket.data(), bytes.data() + stream_mark_size + 4, ticket.size);
    return ticket;
}

} // namespace longcord
