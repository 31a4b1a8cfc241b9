// SPDX-License-Identifier: MIT
#include "serial/telnet_options.hpp"

namespace longcord {

static std::string command(std::uint8_t verb, std::uint8_t option) {
    return {static_cast<char>(telnet::iac), static_cast<char>(verb), static_cast<char>(option)};
}

static bool we_can(std::uint8_t option) noexcept {
    return option == telnet::binary || option == telnet::echo || option == telnet::sga ||
           option == telnet::com_port;
}

/// A client that echoes would send the board's output back to the board.
static bool they_may(std::uint8_t option) noexcept {
    return option == telnet::binary || option == telnet::sga || option == telnet::com_port;
}

std::string TelnetOptions::set(
    Side& side, std::uint8_t option, bool wanted, bool supported, std::uint8_t yes,
    std::uint8_t no) {
    const bool was_asked = side.asked[option];
    side.asked[option] = false;
    if (!wanted) {
        const bool was_on = side.on[option];
        side.on[option] = false;
        side.declined[option] = true;
        return was_on ? command(no, option) : ""; // a refusal of what is off needs no answer
    }
    if (!supported) {
        const bool said = side.refused[option];
        side.refused[option] = true;
        return said ? "" : command(no, option);
    }
    const bool was_on = side.on[option];
    side.on[option] = true;
    side.declined[option] = false;
    return was_on || was_asked ? "" : command(yes, option);
}

std::string TelnetOptions::answer(std::uint8_t verb, std::uint8_t option) {
    // Not a state but a question, "how far are you?", and asked again at every interrupt: a
    // terminal's telnet shows nothing until it is answered.
    if (verb == telnet::do_ && option == telnet::timing_mark)
        return command(telnet::will, option);
    switch (verb) {
    case telnet::do_:
    case telnet::dont:
        return set(us_, option, verb == telnet::do_, we_can(option), telnet::will, telnet::wont);
    case telnet::will:
    case telnet::wont:
        return set(
            them_, option, verb == telnet::will, they_may(option), telnet::do_, telnet::dont);
    default:
        return {};
    }
}

std::string TelnetOptions::offer() {
    if (offered_ || com_port())
        return {};
    offered_ = true;
    std::string out;
    const auto ask = [&out](Side& side, std::uint8_t verb, std::uint8_t option) {
        if (side.on[option] || side.declined[option])
            return;
        side.asked[option] = true;
        out += command(verb, option);
    };
    ask(us_, telnet::will, telnet::echo);
    ask(us_, telnet::will, telnet::sga);
    ask(us_, telnet::will, telnet::binary);
    ask(them_, telnet::do_, telnet::binary);
    return out;
}

} // namespace longcord
