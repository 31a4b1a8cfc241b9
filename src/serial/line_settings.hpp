// SPDX-License-Identifier: MIT
// What a serial line is set to. The numbers are RFC 2217's, so that they need no translation on the
// wire.
#pragma once

#include <cstdint>

namespace longcord {

enum class Parity : std::uint8_t { none = 1, odd = 2, even = 3, mark = 4, space = 5 };
enum class StopBits : std::uint8_t { one = 1, two = 2, one_and_half = 3 };
enum class FlowControl : std::uint8_t { none = 1, xon_xoff = 2, hardware = 3 };

/// 115200 8N1 is what boards speak after a reset.
struct LineSettings {
    std::uint32_t baud = 115200; ///< bit/s, never 0
    std::uint8_t data_bits = 8;  ///< 5 to 8
    Parity parity = Parity::none;
    StopBits stop = StopBits::one;
    FlowControl flow_out = FlowControl::none; ///< what may stop our sending
    FlowControl flow_in = FlowControl::none;  ///< how we stop the device

    bool operator==(const LineSettings&) const = default;
};

/// The two outputs that resets are made of. On an ESP board's auto-reset circuit RTS alone pulls EN
/// low (reset), DTR alone pulls IO0 low (boot into the loader), and both together do nothing.
struct ModemLines {
    bool dtr = false;
    bool rts = false;

    bool operator==(const ModemLines&) const = default;
};

/// The inputs, as in RFC 2217's modem state: 128 CD, 64 RI, 32 DSR, 16 CTS.
using ModemInputs = std::uint8_t;
constexpr ModemInputs modem_cd = 128;
constexpr ModemInputs modem_ri = 64;
constexpr ModemInputs modem_dsr = 32;
constexpr ModemInputs modem_cts = 16;

// RFC 2217's line state bits, as far as a kernel tells them.
constexpr std::uint8_t line_sent = 64 | 32; ///< all is sent (TSRE), room for more (THRE)
constexpr std::uint8_t line_break = 16;
constexpr std::uint8_t line_framing = 8;
constexpr std::uint8_t line_parity = 4;
constexpr std::uint8_t line_overrun = 2;

} // namespace longcord
