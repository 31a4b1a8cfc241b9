// SPDX-License-Identifier: MIT
#include "serial/client_talk.hpp"

#include <cstring>
#include <functional>
#include <utility>

namespace longcord {

std::optional<Spoken> ClientTalk::next(char*& in, std::size_t& size) {
    if (pending_) {
        TelnetEvent event = *std::exchange(pending_, std::nullopt);
        event.data = pending_data_;
        if (auto spoken = take(event))
            return spoken;
    }
    char* start = nullptr; // of the data found so far, joined
    std::size_t joined = 0;
    std::string_view rest(in, size);
    const auto data = [&] {
        Spoken spoken;
        spoken.data = options_.nvt() ? without_nul(start, joined) : std::string_view(start, joined);
        return spoken;
    };
    while (auto event = reader_.next(rest)) {
        const std::less<const char*> before;
        const bool is_data = event->kind == TelnetEvent::Kind::data;
        const bool ours =
            is_data && !before(event->data.data(), in) && before(event->data.data(), in + size);
        const auto used = size - rest.size();
        if (ours) {
            char* const at = in + (event->data.data() - in);
            if (!start)
                start = at;
            else if (start + joined != at)
                std::memmove(start + joined, at, event->data.size());
            joined += event->data.size();
            continue;
        }
        if (joined > 0) { // first what came before it
            pending_ = *event;
            pending_data_ = event->data;
            in += used;
            size -= used;
            return data();
        }
        if (auto spoken = take(*event)) {
            in += used;
            size -= used;
            return spoken;
        }
    }
    in += size;
    size = 0;
    if (joined > 0)
        return data();
    if (speaks_telnet() && !offered_) {
        offered_ = true;
        Spoken offer{Spoken::Kind::reply, {}, options_.offer(), {}};
        if (!offer.reply.empty())
            return offer;
    }
    return std::nullopt;
}

std::optional<Spoken> ClientTalk::take(const TelnetEvent& event) {
    Spoken spoken;
    switch (event.kind) {
    case TelnetEvent::Kind::data: // held back until it was known to be data
        spoken.data = event.data;
        return spoken;
    case TelnetEvent::Kind::option:
        spoken.kind = Spoken::Kind::reply;
        spoken.reply = option(event.command, event.option);
        if (spoken.reply.empty())
            return std::nullopt;
        return spoken;
    case TelnetEvent::Kind::subnegotiation:
        if (event.option != telnet::com_port)
            return std::nullopt;
        spoken.kind = Spoken::Kind::command;
        spoken.request = com_port_.begin(event.data);
        return spoken;
    default:
        if (event.command == telnet::brk)
            spoken.kind = Spoken::Kind::brk;
        else if (event.command == telnet::ayt)
            spoken = {Spoken::Kind::reply, {}, "\r\n[longcord: yes]\r\n", {}};
        else
            return std::nullopt;
        return spoken;
    }
}

std::string ClientTalk::option(std::uint8_t command, std::uint8_t option) {
    std::string reply = options_.answer(command, option);
    if (options_.com_port() && !announced_) {
        announced_ = true; // pyserial's .cts needs one to have come
        reply += com_port_.modem_state();
    }
    return reply;
}

/// A client without BINARY sends CR NUL for CR (RFC 854).
std::string_view ClientTalk::without_nul(char* data, std::size_t size) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const char c = data[i]; // NOLINT(clang-analyzer-core.NullDereference): nothing has no bytes
        if (c != '\0' || !after_cr_)
            data[kept++] = c;
        after_cr_ = c == '\r';
    }
    return {data, kept};
}

std::string_view ClientTalk::encode(std::string_view data, std::string& spare) const {
    if (!speaks_telnet() || !std::memchr(data.data(), 0xff, data.size()))
        return data;
    spare.clear();
    append_doubled(spare, data);
    return spare;
}

std::string ClientTalk::modem_changed(ModemInputs inputs) {
    std::string notice = com_port_.modem_changed(inputs);
    return com_port() ? notice : "";
}

std::string ClientTalk::line_changed(std::uint8_t state) {
    std::string notice = com_port_.line_changed(state);
    return com_port() ? notice : "";
}

} // namespace longcord
