// SPDX-License-Identifier: MIT
// Telnet's bytes (RFC 854), both ways. Serial data is eight bits wide, so only 0xff is special: it
// is doubled in data and in subnegotiations. Runs between two of them are found by memchr and
// handed on as they lie in the caller's buffer.
//
// A client need not speak telnet at all: `socat` or a plain socket gets the bare bytes. The first
// 0xff that the client sends decides, once and for the rest of the connection. It makes the client
// a telnet one where it begins
//   - at the very start of the connection: any telnet command (BRK to DONT, SB);
//   - later: WILL, WONT, DO or DONT of an option that telnet clients really negotiate, or a
//     subnegotiation of COM-PORT.
// Everything else makes it a raw client: a lone 0xff, 0xff 0xff and 0xff 0xfd in the middle of a
// firmware image are its data, byte for byte. (Random data is misread with less than 1 in 1,000:
// the option must fit too, and only the first 0xff counts.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace longcord {

namespace telnet {
constexpr std::uint8_t se = 240;
constexpr std::uint8_t nop = 241;
constexpr std::uint8_t brk = 243;
constexpr std::uint8_t ayt = 246;
constexpr std::uint8_t ga = 249;
constexpr std::uint8_t sb = 250;
constexpr std::uint8_t will = 251;
constexpr std::uint8_t wont = 252;
constexpr std::uint8_t do_ = 253;
constexpr std::uint8_t dont = 254;
constexpr std::uint8_t iac = 255;
constexpr std::uint8_t binary = 0;      // RFC 856
constexpr std::uint8_t echo = 1;        // RFC 857
constexpr std::uint8_t sga = 3;         // RFC 858
constexpr std::uint8_t timing_mark = 6; // RFC 860
constexpr std::uint8_t com_port = 44;   // RFC 2217
} // namespace telnet

/// Subnegotiations longer than this are thrown away whole. The longest one that makes sense is a
/// signature.
constexpr std::size_t max_subnegotiation = 256;

struct TelnetEvent {
    enum class Kind : std::uint8_t {
        data,           ///< `data`, undoubled, a piece of what was read
        option,         ///< `command` (WILL, WONT, DO, DONT) of `option`
        subnegotiation, ///< of `option`, with its undoubled content in `data`
        command,        ///< another `command`: BRK, AYT, ...
    };
    Kind kind = Kind::data;
    std::uint8_t command = 0;
    std::uint8_t option = 0;
    std::string_view data; ///< until the next call
};

class TelnetReader {
  public:
    enum class Speaks : std::uint8_t { undecided, raw, telnet };

    /// The next event, consumed from the front of `in`; nullopt once `in` is empty. What is
    /// incomplete is kept for the next bytes.
    std::optional<TelnetEvent> next(std::string_view& in);

    Speaks speaks() const noexcept { return speaks_; }
    /// A 0xff was the last that came, and what follows decides: it must not wait for ever.
    bool waits() const noexcept { return speaks_ == Speaks::undecided && !held_.empty(); }
    /// Nothing followed: the client is a raw one. Returns what was held back.
    std::string give_up();

  private:
    enum class State : std::uint8_t { data, iac, option, sb_option, sb, sb_iac };

    std::optional<TelnetEvent> decide(std::string_view& in);
    std::optional<TelnetEvent> take_data(std::string_view& in);
    std::optional<TelnetEvent> take_command(std::uint8_t byte);
    void take_sub(std::string_view& in);
    std::optional<TelnetEvent> take_sub_end(std::uint8_t byte);

    Speaks speaks_ = Speaks::undecided;
    bool at_start_ = true;   ///< no byte has come before the first 0xff
    std::string held_;       ///< undecided: what began with the first 0xff
    std::string decided_;    ///< held back, and found to be a raw client's data
    std::size_t replay_ = 0; ///< telnet: how much of held_ was read as commands
    State state_ = State::data;
    std::uint8_t command_ = 0;
    std::uint8_t option_ = 0;
    std::string sub_;
    bool sub_too_long_ = false;
};

/// Appends `data` with each 0xff doubled.
void append_doubled(std::string& out, std::string_view data);
/// IAC SB option ... IAC SE, with each 0xff of the content doubled.
std::string subnegotiation(std::uint8_t option, std::string_view content);

} // namespace longcord
