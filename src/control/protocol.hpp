// SPDX-License-Identifier: MIT
// The language of the control sockets, one JSON object a line:
//
//   request  {"verb":"status","args":{...}}
//   reply    {"ok":true,"result":...} | {"ok":false,"error":{"kind":"refused","message":"..."}}
//   stream   {"event":{...}} and {"lagged":1000}, after the reply to "subscribe"
//            {"bytes":"aGVsbG8="} and {"lagged":1000}, after the reply to "console"
//
// "subscribe" is "events" (same arguments, same reply: what was) followed by a stream of what
// comes. An event can stand in both; its `seq` tells. Unknown keys are ignored on both sides.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace longcord {

constexpr std::size_t max_control_request = 64 * 1024;
/// Levels of objects and lists in a request; ours have three.
constexpr int max_control_depth = 16;
/// 256 Pis with 128 devices each are some 15 MB.
constexpr std::size_t max_control_reply = 32 * 1024 * 1024;

struct ControlRequest {
    std::string verb;
    nlohmann::json args; ///< an object
};

using ControlReply = Result<nlohmann::json>;

/// What a service says. (No variant: Result<variant<Result>> could be made from an Error in two
/// ways.)
struct ControlMessage {
    enum class Kind { reply, event, lagged, bytes } kind = Kind::reply;
    ControlReply reply;        ///< of a reply
    nlohmann::json event;      ///< of an event: an object
    std::uint64_t dropped = 0; ///< of lagged: events this subscriber did not get
    std::string base64;        ///< of bytes: what a serial port said
};

// Without the newline.
std::string format_request(std::string_view verb, const nlohmann::json& args);
std::string format_reply(const ControlReply& reply);
std::string format_event(const nlohmann::json& event);
std::string format_lagged(std::uint64_t dropped);
std::string format_bytes(std::string_view bytes);

Result<ControlRequest> parse_request(std::string_view line);
/// The outer error: it is no such message.
Result<ControlMessage> parse_message(std::string_view line);

} // namespace longcord
