// SPDX-License-Identifier: MIT
// A line on a control socket, in both directions: a client's request as the service reads it, and a
// service's message as the command line does.
#include "base/text.hpp"
#include "control/protocol.hpp"
#include "must.hpp"

#include <algorithm>

using namespace longcord;

static void check_request(std::string_view line) {
    const auto request = parse_request(line);
    if (!request)
        return must(
            !request.error().message.empty() && is_utf8(request.error().message),
            "a refusal can be shown");
    must(request->args.is_object(), "arguments are an object");
    const auto said = format_request(request->verb, request->args);
    must(said.find('\n') == std::string::npos, "a request is one line");
    const auto again = parse_request(said);
    must(
        again && again->verb == request->verb && again->args == request->args, "it means the same");
}

static void check_message(std::string_view line) {
    // The service's own words, which are not nested deeply: nothing bounds what reads them.
    constexpr std::ptrdiff_t deepest = 200;
    if (std::ranges::count(line, '[') + std::ranges::count(line, '{') > deepest)
        return;
    const auto message = parse_message(line);
    if (!message)
        return must(!message.error().message.empty(), "a refusal has a reason");
    using Kind = ControlMessage::Kind;
    if (message->kind == Kind::event) {
        must(message->event.is_object(), "an event is an object");
        must(parse_message(format_event(message->event))->event == message->event, "the same");
    }
    if (message->kind == Kind::lagged)
        must(
            parse_message(format_lagged(message->dropped))->dropped == message->dropped,
            "the same");
    if (message->kind == Kind::reply) {
        const auto again = parse_message(format_reply(message->reply));
        must(again && again->reply.has_value() == message->reply.has_value(), "the same");
        if (message->reply)
            must(*again->reply == *message->reply, "the same result");
        else
            must(
                again->reply.error().kind == message->reply.error().kind &&
                    again->reply.error().message == message->reply.error().message,
                "the same error");
    }
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view line(reinterpret_cast<const char*>(data), size);
    check_request(line);
    check_message(line);
    return 0;
}
