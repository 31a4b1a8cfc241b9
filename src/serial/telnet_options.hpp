// SPDX-License-Identifier: MIT
// Which telnet options are on, and what is answered to a client that asks (RFC 855; no answer
// loops: RFC 1143). The server opens nothing by itself before the client's first command; then it
// offers what makes a terminal's telnet a clean eight-bit line, unless the client does COM-PORT,
// whose users have their own openers.
#pragma once

#include "serial/telnet.hpp"

#include <bitset>
#include <string>

namespace longcord {

class TelnetOptions {
  public:
    /// The answer to WILL, WONT, DO or DONT; empty where none is due.
    std::string answer(std::uint8_t command, std::uint8_t option);
    /// WILL ECHO, WILL SGA, WILL BINARY, DO BINARY, as far as they are not on and were not asked
    /// for; once.
    std::string offer();

    bool com_port() const noexcept {
        return us_.on[telnet::com_port] || them_.on[telnet::com_port];
    }
    /// The client will not send eight-bit data as it is: it ends lines with CR NUL (RFC 854).
    bool nvt() const noexcept { return them_.declined[telnet::binary] && !com_port(); }

  private:
    struct Side {
        std::bitset<256> on;
        std::bitset<256> asked;    ///< by us, and not answered yet
        std::bitset<256> refused;  ///< by us: not known here, and said so
        std::bitset<256> declined; ///< by the client
    };

    std::string set(
        Side& side, std::uint8_t option, bool wanted, bool supported, std::uint8_t yes,
        std::uint8_t no);

    Side us_;   ///< WILL and WONT are ours, DO and DONT theirs
    Side them_; ///< the other way round
    bool offered_ = false;
};

} // namespace longcord
