// SPDX-License-Identifier: MIT
#include "control/protocol.hpp"

#include "base/base64.hpp"
#include "base/text.hpp"

#include <array>

namespace longcord {

using nlohmann::json;

/// Text that is no UTF-8 cannot make a reply impossible: it is replaced.
static std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string format_request(std::string_view verb, const json& args) {
    return dump({{"verb", verb}, {"args", args}});
}

std::string format_reply(const ControlReply& reply) {
    if (reply)
        return dump({{"ok", true}, {"result", *reply}});
    const Error& error = reply.error();
    return dump(
        {{"ok", false}, {"error", {{"kind", to_string(error.kind)}, {"message", error.message}}}});
}

std::string format_event(const json& event) {
    return dump({{"event", event}});
}

std::string format_lagged(std::uint64_t dropped) {
    return dump({{"lagged", dropped}});
}

std::string format_bytes(std::string_view bytes) {
    return dump({{"bytes", encode_base64(bytes)}});
}

Result<ControlRequest> parse_request(std::string_view line) {
    // Copies and comparisons of json are recursive: 64 KiB of brackets would take half of our
    // stack.
    bool too_deep = false;
    const auto watch = [&too_deep](int depth, json::parse_event_t event, const json&) {
        using Event = json::parse_event_t;
        const bool begins = event == Event::object_start || event == Event::array_start;
        too_deep = too_deep || (begins && depth >= max_control_depth);
        return !too_deep; // what is discarded is not kept either
    };
    const json value = json::parse(line, watch, false);
    if (too_deep)
        return fail(
            ErrorKind::invalid, "the request is nested deeper than {} levels", max_control_depth);
    if (!value.is_object())
        return fail(ErrorKind::invalid, "the request is no JSON object");
    const auto verb = value.find("verb");
    if (verb == value.end() || !verb->is_string())
        return fail(ErrorKind::invalid, "the request has no \"verb\"");
    ControlRequest request{verb->get_ref<const std::string&>(), json::object()};
    const auto args = value.find("args");
    if (args != value.end() && !args->is_null()) {
        if (!args->is_object())
            return fail(
                ErrorKind::invalid, "\"args\" of '{}' is no JSON object", printable(request.verb));
        request.args = *args;
    }
    return request;
}

static ErrorKind kind_from(std::string_view name) {
    constexpr std::array kinds{ErrorKind::invalid, ErrorKind::not_found, ErrorKind::busy,
                               ErrorKind::refused, ErrorKind::full,      ErrorKind::unavailable,
                               ErrorKind::timeout, ErrorKind::unknown,   ErrorKind::protocol,
                               ErrorKind::system};
    for (const ErrorKind kind : kinds)
        if (to_string(kind) == name)
            return kind;
    return ErrorKind::system; // of a newer service
}

static Error read_error(const json& value) {
    Error error{ErrorKind::system, "the service failed and did not say why"};
    const auto found = value.find("error");
    if (found == value.end() || !found->is_object())
        return error;
    const auto kind = found->find("kind");
    if (kind != found->end() && kind->is_string())
        error.kind = kind_from(kind->get_ref<const std::string&>());
    const auto message = found->find("message");
    if (message != found->end() && message->is_string())
        error.message = message->get_ref<const std::string&>();
    return error;
}

Result<ControlMessage> parse_message(std::string_view line) {
    const json value = json::parse(line, nullptr, false);
    if (!value.is_object())
        return fail(ErrorKind::protocol, "the service answered with something that is no JSON");
    using Kind = ControlMessage::Kind;
    ControlMessage message;
    const auto event = value.find("event");
    const auto lagged = value.find("lagged");
    const auto bytes = value.find("bytes");
    const auto ok = value.find("ok");
    if (event != value.end() && event->is_object()) {
        message.kind = Kind::event;
        message.event = *event;
    } else if (lagged != value.end() && lagged->is_number_unsigned()) {
        message.kind = Kind::lagged;
        message.dropped = lagged->get<std::uint64_t>();
    } else if (bytes != value.end() && bytes->is_string()) {
        message.kind = Kind::bytes;
        message.base64 = bytes->get<std::string>();
    } else if (ok == value.end() || !ok->is_boolean()) {
        return fail(ErrorKind::protocol, "the service answered neither a reply nor an event");
    } else if (!ok->get<bool>()) {
        message.reply = read_error(value);
    } else if (const auto result = value.find("result"); result != value.end()) {
        message.reply = *result;
    }
    return message;
}

} // namespace longcord
