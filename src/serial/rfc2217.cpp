// SPDX-License-Identifier: MIT
#include "serial/rfc2217.hpp"

#include "serial/telnet.hpp"

#include <algorithm>
#include <array>

namespace longcord {

// RFC 2217, section 2. The server's answers are these plus 100.
enum Code : std::uint8_t {
    signature = 0,
    set_baudrate = 1,
    set_datasize = 2,
    set_parity = 3,
    set_stopsize = 4,
    set_control = 5,
    notify_linestate = 6,
    notify_modemstate = 7,
    flowcontrol_suspend = 8,
    flowcontrol_resume = 9,
    set_linestate_mask = 10,
    set_modemstate_mask = 11,
    purge_data = 12,
};
static constexpr std::uint8_t answer_offset = 100;

enum Control : std::uint8_t {
    query_flow = 0,
    flow_none = 1,
    flow_hardware = 3,
    query_break = 4,
    break_on = 5,
    break_off = 6,
    query_dtr = 7,
    dtr_on = 8,
    dtr_off = 9,
    query_rts = 10,
    rts_on = 11,
    rts_off = 12,
    query_flow_in = 13,
    flow_in_none = 14,
    flow_in_hardware = 16,
    flow_dcd = 17, // this and the next two no Linux tty can
    flow_in_dtr = 18,
    flow_dsr = 19,
};

using Kind = SerialRequest::Kind;

static char char_of(unsigned value) noexcept {
    return static_cast<char>(static_cast<std::uint8_t>(value));
}

static std::string answer(std::uint8_t code, std::string_view value) {
    std::string content{char_of(code + answer_offset)};
    content += value;
    return subnegotiation(telnet::com_port, content);
}

static std::string answer(std::uint8_t code, unsigned value) {
    const char byte = char_of(value);
    return answer(code, std::string_view(&byte, 1));
}

static std::uint32_t big_endian(std::string_view bytes) noexcept {
    std::uint32_t value = 0;
    for (const char c : bytes)
        value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
}

/// Cisco's one-byte rates, older than the RFC; gensio's clients can still send them.
struct CiscoRate {
    std::uint8_t code;
    std::uint32_t baud;
};
static constexpr std::array<CiscoRate, 14> cisco_rates{
    {{3, 300},
     {4, 600},
     {5, 1200},
     {6, 2400},
     {7, 4800},
     {8, 9600},
     {9, 14400},
     {10, 19200},
     {11, 28800},
     {12, 38400},
     {13, 57600},
     {14, 115200},
     {15, 230400},
     {16, 460800}}};

static std::uint32_t baud_of(std::string_view value) noexcept {
    if (value.size() == 4)
        return big_endian(value);
    if (value.size() != 1)
        return 0;
    const auto at =
        std::ranges::find(cisco_rates, static_cast<std::uint8_t>(value.front()), &CiscoRate::code);
    return at == cisco_rates.end() ? 0 : at->baud;
}

static std::string baud_answer(std::uint32_t baud, bool cisco) {
    if (cisco) {
        const auto at = std::ranges::find(cisco_rates, baud, &CiscoRate::baud);
        return answer(set_baudrate, at == cisco_rates.end() ? 0U : at->code);
    }
    const std::array<char, 4> bytes{
        char_of(baud >> 24), char_of(baud >> 16), char_of(baud >> 8), char_of(baud)};
    return answer(set_baudrate, std::string_view(bytes.data(), bytes.size()));
}

SerialRequest Rfc2217::begin(std::string_view content) {
    command_ = content;
    SerialRequest request;
    if (content.empty())
        return request;
    const std::string_view value = content.substr(1);
    const std::uint8_t first = value.empty() ? 0 : static_cast<std::uint8_t>(value.front());
    switch (static_cast<std::uint8_t>(content.front())) {
    case set_baudrate:
    case set_datasize:
    case set_parity:
    case set_stopsize:
        return set_line(value);
    case set_control:
        return value.empty() ? request : control(first);
    case flowcontrol_suspend:
    case flowcontrol_resume:
        suspended_ = content.front() == char_of(flowcontrol_suspend);
        request.kind = Kind::flow;
        break;
    case set_linestate_mask:
        line_mask_ = value.empty() ? line_mask_ : first;
        break;
    case set_modemstate_mask:
        modem_mask_ = value.empty() ? modem_mask_ : first;
        break;
    case purge_data:
        request.rx = first == 1 || first == 3;
        request.tx = first == 2 || first == 3;
        request.kind = request.rx || request.tx ? Kind::purge : Kind::none;
        break;
    default:
        break;
    }
    return request;
}

/// Out of range is no error of its own: it is answered like a query.
SerialRequest Rfc2217::set_line(std::string_view value) {
    SerialRequest request;
    request.line = line_;
    const std::uint32_t number = value.size() == 1 ? static_cast<std::uint8_t>(value.front()) : 0;
    switch (static_cast<std::uint8_t>(command_.front())) {
    case set_baudrate:
        if (const std::uint32_t baud = baud_of(value); baud > 0)
            request.line.baud = baud;
        break;
    case set_datasize:
        if (number >= 5 && number <= 8)
            request.line.data_bits = static_cast<std::uint8_t>(number);
        break;
    case set_parity:
        if (number >= 1 && number <= 5)
            request.line.parity = static_cast<Parity>(number);
        break;
    default:
        if (number >= 1 && number <= 3)
            request.line.stop = static_cast<StopBits>(number);
        break;
    }
    request.kind = request.line == line_ ? Kind::none : Kind::line;
    return request;
}

SerialRequest Rfc2217::control(std::uint8_t value) {
    SerialRequest request;
    request.line = line_;
    if (value >= flow_none && value <= flow_hardware) {
        request.line.flow_out = static_cast<FlowControl>(value);
        request.line.flow_in = request.line.flow_out;
    } else if (value >= flow_in_none && value <= flow_in_hardware) {
        request.line.flow_in = static_cast<FlowControl>(value - query_flow_in);
    }
    if (request.line != line_) {
        request.kind = Kind::line;
    } else if (value == break_on || value == break_off) {
        const bool on = value == break_on;
        request.kind = on == break_ ? Kind::none : Kind::brk;
        request.on = break_ = on;
    } else if (value == dtr_on || value == dtr_off || value == rts_on || value == rts_off) {
        request.kind = Kind::control;
        request.dtr = value == dtr_on || value == dtr_off;
        request.on = value == dtr_on || value == rts_on;
        (request.dtr ? lines_.dtr : lines_.rts) = request.on;
        request.lines = lines_;
    }
    return request;
}

std::string Rfc2217::control_answer() const {
    if (command_.size() < 2)
        return {};
    const auto value = static_cast<std::uint8_t>(command_[1]);
    if (value <= flow_hardware || value == flow_dcd || value == flow_dsr)
        return answer(set_control, static_cast<unsigned>(line_.flow_out));
    if (value <= break_off)
        return answer(set_control, break_ ? break_on : break_off);
    if (value <= dtr_off)
        return answer(set_control, lines_.dtr ? dtr_on : dtr_off);
    if (value <= rts_off)
        return answer(set_control, lines_.rts ? rts_on : rts_off);
    if (value <= flow_in_dtr)
        return answer(set_control, static_cast<unsigned>(line_.flow_in) + query_flow_in);
    return {};
}

std::string Rfc2217::end(const LineSettings& in_force) {
    line_ = in_force;
    if (command_.empty())
        return {};
    const std::string_view value = std::string_view(command_).substr(1);
    switch (static_cast<std::uint8_t>(command_.front())) {
    case signature:
        return value.empty() ? answer(signature, signature_) : "";
    case set_baudrate:
        return baud_answer(line_.baud, value.size() == 1 && value.front() != 0);
    case set_datasize:
        return answer(set_datasize, unsigned{line_.data_bits});
    case set_parity:
        return answer(set_parity, static_cast<unsigned>(line_.parity));
    case set_stopsize:
        return answer(set_stopsize, static_cast<unsigned>(line_.stop));
    case set_control:
        return control_answer();
    case notify_linestate:
        return answer(notify_linestate, unsigned{line_state_});
    case notify_modemstate:
        return modem_state();
    case set_linestate_mask:
        return answer(set_linestate_mask, unsigned{line_mask_});
    case set_modemstate_mask:
        return answer(set_modemstate_mask, unsigned{modem_mask_});
    case purge_data:
        return answer(purge_data, value);
    default: // suspend and resume have no answer: the code plus 100 would suspend the client
        return {};
    }
}

/// The low half of a modem state tells what has changed; of RI only that it ended.
static unsigned deltas(ModemInputs before, ModemInputs now) noexcept {
    unsigned changed = (before ^ now) >> 4;
    if ((now & modem_ri) != 0)
        changed &= ~(unsigned{modem_ri} >> 4);
    return changed;
}

std::string Rfc2217::modem_changed(ModemInputs inputs) {
    const unsigned changed = deltas(inputs_, inputs);
    const unsigned differs = inputs_ ^ inputs;
    inputs_ = inputs;
    if (((changed | differs) & modem_mask_) == 0)
        return {};
    return answer(notify_modemstate, (inputs_ | changed) & modem_mask_);
}

std::string Rfc2217::modem_state() {
    return answer(notify_modemstate, unsigned{inputs_});
}

std::string Rfc2217::line_changed(std::uint8_t state) {
    const unsigned fresh = state & ~(line_state_ & line_sent);
    line_state_ = state & line_sent;
    if ((fresh & line_mask_) == 0)
        return {};
    return answer(notify_linestate, unsigned{state} & line_mask_);
}

} // namespace longcord
