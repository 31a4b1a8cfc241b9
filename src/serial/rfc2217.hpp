// SPDX-License-Identifier: MIT
// RFC 2217 for one client, without the port: a COM-PORT command comes in and becomes at most one
// request to the port; once that is done, its outcome goes back in and the answer comes out. So
// pipelined commands are answered in order, each with the value that is in force then. Clients
// compare: pyserial gives up on any other answer than the one that it asked for.
#pragma once

#include "serial/line_settings.hpp"

#include <string>
#include <string_view>

namespace longcord {

struct SerialRequest {
    enum class Kind : std::uint8_t {
        none,    ///< nothing to do: a query, or what is in force already
        line,    ///< set `line`
        control, ///< the client switched DTR or RTS (also to what it was): `lines`, see `dtr`
        brk,     ///< break `on` or off
        purge,   ///< what the device sent (`rx`) or is to be sent (`tx`) and is on its way
        flow,    ///< suspended() has changed
    };
    Kind kind = Kind::none;
    LineSettings line;
    ModemLines lines; ///< both, after the change
    bool dtr = false; ///< which of them: DTR, else RTS
    bool on = false;
    bool rx = false;
    bool tx = false;
};

class Rfc2217 {
  public:
    /// `signature` is what the client is told of this port. The lines are as they rest.
    Rfc2217(std::string signature, LineSettings in_force, ModemLines lines)
        : signature_(std::move(signature)), line_(in_force), lines_(lines) {}

    /// One subnegotiation's content. Each begin() is followed by its end().
    SerialRequest begin(std::string_view content);
    /// The answer, empty where none is due. `in_force` is what the port says now.
    std::string end(const LineSettings& in_force);

    /// A notification where the client's mask asks for one; empty otherwise.
    std::string modem_changed(ModemInputs inputs);
    std::string line_changed(std::uint8_t state);
    /// The modem state regardless of any change: clients wait for one after the negotiation.
    std::string modem_state();

    bool suspended() const noexcept { return suspended_; }
    std::uint8_t line_mask() const noexcept { return line_mask_; }
    std::uint8_t modem_mask() const noexcept { return modem_mask_; }

  private:
    SerialRequest set_line(std::string_view value);
    SerialRequest control(std::uint8_t value);
    std::string control_answer() const;

    std::string signature_;
    LineSettings line_;
    ModemLines lines_;
    bool break_ = false;
    bool suspended_ = false;
    std::uint8_t line_mask_ = 0;
    std::uint8_t modem_mask_ = 255;
    std::uint8_t line_state_ = 0;
    ModemInputs inputs_ = 0;
    std::string command_; ///< the content under way
};

} // namespace longcord
