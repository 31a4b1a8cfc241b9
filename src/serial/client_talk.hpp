// SPDX-License-Identifier: MIT
// What one client and we say to each other, without its socket (and no USB/IP Conversation): raw
// bytes or telnet, options, and COM-PORT commands, as events in the order in which they came.
#pragma once

#include "serial/rfc2217.hpp"
#include "serial/telnet.hpp"
#include "serial/telnet_options.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace longcord {

/// What the caller has to do next, one thing at a time.
struct Spoken {
    enum class Kind : std::uint8_t {
        data,    ///< `data` is for the device
        reply,   ///< `reply` is for the client
        command, ///< do `request`, then call finish() and send what it returns
        brk,     ///< telnet's BRK: a short break
    };
    Kind kind = Kind::data;
    std::string_view data; ///< lies in the buffer that was read, or lives until the next call
    std::string reply;
    SerialRequest request;
};

class ClientTalk {
  public:
    ClientTalk(std::string signature, LineSettings in_force, ModemLines lines)
        : com_port_(std::move(signature), in_force, lines) {}

    /// From the front of what was read; nullopt once that is used up. Data runs are joined within
    /// `in`, whose bytes are moved for it.
    std::optional<Spoken> next(char*& in, std::size_t& size);
    std::string finish(const LineSettings& in_force) { return com_port_.end(in_force); }

    bool waits() const noexcept { return reader_.waits(); }
    std::string give_up() { return reader_.give_up(); }

    /// As the client is to get it. `spare` holds the doubled bytes where there are any.
    std::string_view encode(std::string_view data, std::string& spare) const;
    bool speaks_telnet() const noexcept { return reader_.speaks() == TelnetReader::Speaks::telnet; }
    /// Nothing is notified to a client that has not agreed on COM-PORT.
    bool com_port() const noexcept { return options_.com_port(); }
    std::string modem_changed(ModemInputs inputs);
    std::string line_changed(std::uint8_t state);
    std::uint8_t line_mask() const noexcept { return com_port_.line_mask(); }
    bool suspended() const noexcept { return com_port_.suspended(); }

  private:
    std::optional<Spoken> take(const TelnetEvent& event);
    std::string option(std::uint8_t command, std::uint8_t option);
    std::string_view without_nul(char* data, std::size_t size);

    TelnetReader reader_;
    TelnetOptions options_;
    Rfc2217 com_port_;
    std::optional<TelnetEvent> pending_; ///< came behind data
    std::string pending_data_;
    bool announced_ = false; ///< one modem state has been sent
    bool offered_ = false;
    bool after_cr_ = false;
};

} // namespace longcord
