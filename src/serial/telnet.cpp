// SPDX-License-Identifier: MIT
#include "serial/telnet.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace longcord {

using Event = TelnetEvent;

static constexpr char iac_char = '\xff';

static std::uint8_t byte_of(char c) noexcept {
    return static_cast<std::uint8_t>(c);
}

/// Up to the next 0xff, which is not part of it.
static std::string_view run_of(std::string_view in) noexcept {
    const void* at = in.empty() ? nullptr : std::memchr(in.data(), telnet::iac, in.size());
    return at ? in.substr(0, static_cast<std::size_t>(static_cast<const char*>(at) - in.data()))
              : in;
}

/// What telnet clients ask for in practice: BINARY, ECHO, SGA, STATUS, TIMING-MARK, TTYPE, NAWS,
/// TSPEED, LFLOW, LINEMODE, XDISPLOC, AUTHENTICATION, ENCRYPT, ENVIRON, CHARSET, COM-PORT.
static bool is_known_option(std::uint8_t option) noexcept {
    constexpr std::array<std::uint8_t, 17> known{0,  1,  3,  5,  6,  24, 31, 32, 33,
                                                 34, 35, 36, 37, 38, 39, 42, 44};
    return std::ranges::find(known, option) != known.end();
}

/// What the bytes from the client's first 0xff on say; undecided: too few of them.
static TelnetReader::Speaks judge(std::string_view held, bool at_start) noexcept {
    using Speaks = TelnetReader::Speaks;
    if (held.size() < 2)
        return Speaks::undecided;
    const std::uint8_t command = byte_of(held[1]);
    if (command == telnet::iac || command <= telnet::se)
        return Speaks::raw;
    if (at_start)
        return Speaks::telnet;
    if (command < telnet::sb)
        return Speaks::raw;
    if (held.size() < 3)
        return Speaks::undecided;
    const std::uint8_t option = byte_of(held[2]);
    const bool fits = command == telnet::sb ? option == telnet::com_port : is_known_option(option);
    return fits ? Speaks::telnet : Speaks::raw;
}

std::optional<Event> TelnetReader::next(std::string_view& in) {
    if (speaks_ == Speaks::undecided)
        return decide(in);
    if (speaks_ == Speaks::raw) {
        if (in.empty())
            return std::nullopt;
        return Event{Event::Kind::data, 0, 0, std::exchange(in, {})};
    }
    while (replay_ < held_.size()) {
        const std::uint8_t byte = byte_of(held_[replay_++]);
        // What was held back is at most IAC, command, option, so it never ends a subnegotiation.
        if (state_ == State::data)
            state_ = State::iac;
        else if (auto event = take_command(byte))
            return event;
    }
    while (!in.empty()) {
        if (state_ == State::data) {
            if (auto event = take_data(in))
                return event;
        } else if (state_ == State::sb) {
            take_sub(in);
        } else {
            const std::uint8_t byte = byte_of(in.front());
            // The doubled 0xff is data: the second one, with what follows it, is one run.
            if (state_ == State::iac && byte == telnet::iac) {
                state_ = State::data;
                const std::size_t size = 1 + run_of(in.substr(1)).size();
                const Event event{Event::Kind::data, 0, 0, in.substr(0, size)};
                in.remove_prefix(size);
                return event;
            }
            in.remove_prefix(1);
            if (auto event = state_ == State::sb_iac ? take_sub_end(byte) : take_command(byte))
                return event;
        }
    }
    return std::nullopt;
}

std::optional<Event> TelnetReader::decide(std::string_view& in) {
    if (in.empty())
        return std::nullopt;
    if (held_.empty()) {
        const std::string_view run = run_of(in);
        if (!run.empty()) {
            at_start_ = false;
            in.remove_prefix(run.size());
            return Event{Event::Kind::data, 0, 0, run};
        }
    }
    Speaks verdict = Speaks::undecided;
    while (verdict == Speaks::undecided && !in.empty()) {
        held_.push_back(in.front());
        in.remove_prefix(1);
        verdict = judge(held_, at_start_);
    }
    if (verdict == Speaks::undecided)
        return std::nullopt;
    speaks_ = verdict;
    if (verdict == Speaks::telnet)
        return next(in);
    decided_ = std::exchange(held_, {});
    return Event{Event::Kind::data, 0, 0, decided_};
}

std::string TelnetReader::give_up() {
    if (!waits())
        return {};
    speaks_ = Speaks::raw;
    return std::exchange(held_, {});
}

std::optional<Event> TelnetReader::take_data(std::string_view& in) {
    const std::string_view run = run_of(in);
    in.remove_prefix(run.size());
    if (!run.empty())
        return Event{Event::Kind::data, 0, 0, run};
    in.remove_prefix(1);
    state_ = State::iac;
    return std::nullopt;
}

std::optional<Event> TelnetReader::take_command(std::uint8_t byte) {
    switch (state_) {
    case State::option:
        state_ = State::data;
        return Event{Event::Kind::option, command_, byte, {}};
    case State::sb_option:
        option_ = byte;
        sub_.clear();
        sub_too_long_ = false;
        // No option at all, as in IAC SB IAC SE: what follows that IAC says where it ends.
        state_ = byte == telnet::iac ? State::sb_iac : State::sb;
        return std::nullopt;
    default:
        break;
    }
    command_ = byte;
    state_ = State::data;
    if (byte >= telnet::will && byte <= telnet::dont)
        state_ = State::option;
    else if (byte == telnet::sb)
        state_ = State::sb_option;
    else if (byte > telnet::se)
        return Event{Event::Kind::command, byte, 0, {}};
    return std::nullopt; // IAC SE without SB, or no command at all: no meaning, no data
}

void TelnetReader::take_sub(std::string_view& in) {
    const std::string_view run = run_of(in);
    if (sub_.size() + run.size() > max_subnegotiation)
        sub_too_long_ = true;
    if (!sub_too_long_)
        sub_ += run;
    const bool ends = run.size() < in.size();
    in.remove_prefix(run.size() + (ends ? 1 : 0));
    if (ends)
        state_ = State::sb_iac;
}

std::optional<Event> TelnetReader::take_sub_end(std::uint8_t byte) {
    if (byte == telnet::iac) {
        state_ = State::sb;
        if (sub_.size() == max_subnegotiation)
            sub_too_long_ = true;
        if (!sub_too_long_)
            sub_ += iac_char;
        return std::nullopt;
    }
    const bool whole = !sub_too_long_;
    const std::uint8_t option = option_;
    if (byte == telnet::se) {
        state_ = State::data;
        if (whole)
            return Event{Event::Kind::subnegotiation, 0, option, sub_};
        return std::nullopt;
    }
    // A command inside: the client has left the subnegotiation without its end (RFC 855 has no word
    // on it). What it holds is not whole, so it is dropped, and the command counts.
    state_ = State::iac;
    return take_command(byte);
}

void append_doubled(std::string& out, std::string_view data) {
    while (!data.empty()) {
        const std::string_view run = run_of(data);
        out += run;
        data.remove_prefix(run.size());
        if (!data.empty()) {
            out.append(2, iac_char);
            data.remove_prefix(1);
        }
    }
}

std::string subnegotiation(std::uint8_t option, std::string_view content) {
    std::string out{iac_char, static_cast<char>(telnet::sb), static_cast<char>(option)};
    append_doubled(out, content);
    out += iac_char;
    out += static_cast<char>(telnet::se);
    return out;
}

} // namespace longcord
