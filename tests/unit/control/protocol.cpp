// SPDX-License-Identifier: MIT
#include "control/protocol.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using nlohmann::json;

TEST_CASE("requests, as bytes") {
    CHECK(format_request("status", json::object()) == R"({"args":{},"verb":"status"})");
    const auto request = parse_request(R"({"verb":"explain","args":{"place":"3-4"},"new":1})");
    REQUIRE(request.has_value());
    CHECK(request->verb == "explain");
    CHECK(request->args["place"] == "3-4");
    CHECK(parse_request(R"({"verb":"status"})")->args.is_object());
    CHECK(parse_request(R"({"verb":"status","args":null})")->args.is_object());
}

TEST_CASE("what is no request") {
    for (const char* line :
         {"", "{", "[]", "1", R"({"args":{}})", R"({"verb":1})", R"({"verb":"status","args":[]})",
          R"({"verb":"status","args":"x"})", "\xff"})
        CHECK_MESSAGE(!parse_request(line).has_value(), line);
}

TEST_CASE("a request is nested 16 levels deep at most, and what fits into its size is refused") {
    const auto nested = [](std::size_t levels) {
        return R"({"verb":"a","args":{"b":)" + std::string(levels, '[') + std::string(levels, ']') +
               "}}";
    };
    CHECK(parse_request(nested(max_control_depth - 2)).has_value());
    for (const std::size_t levels : {std::size_t{max_control_depth - 1}, max_control_request / 2}) {
        const auto refused = parse_request(nested(levels));
        REQUIRE(!refused.has_value());
        CHECK(refused.error().kind == ErrorKind::invalid);
    }
    CHECK(!parse_request(std::string(max_control_request, '[')).has_value());
}

TEST_CASE("replies, as bytes and back") {
    CHECK(format_reply(json{{"a", 1}}) == R"({"ok":true,"result":{"a":1}})");
    const Error refused = fail(ErrorKind::refused, "not for you");
    CHECK(
        format_reply(refused) ==
        R"({"error":{"kind":"refused","message":"not for you"},"ok":false})");

    const auto good = parse_message(R"({"ok":true,"result":{"a":1}})");
    REQUIRE(good.has_value());
    REQUIRE(good->reply.has_value());
    CHECK((*good->reply)["a"] == 1);
    const auto bad = parse_message(format_reply(refused));
    REQUIRE(bad.has_value());
    REQUIRE(!bad->reply.has_value());
    CHECK(bad->reply.error() == refused);
}

TEST_CASE("every kind of error comes back as itself; one of a newer service as system") {
    for (const ErrorKind kind :
         {ErrorKind::invalid, ErrorKind::not_found, ErrorKind::busy, ErrorKind::refused,
          ErrorKind::full, ErrorKind::unavailable, ErrorKind::timeout, ErrorKind::unknown,
          ErrorKind::protocol, ErrorKind::system}) {
        const Error error{kind, "m"};
        CHECK(parse_message(format_reply(error))->reply.error() == error);
    }
    const auto newer = parse_message(R"({"ok":false,"error":{"kind":"tired","message":"m"}})");
    CHECK(newer->reply.error() == Error{ErrorKind::system, "m"});
    CHECK(!parse_message(R"({"ok":false})")->reply.has_value());
    CHECK(!parse_message(R"({"ok":false,"error":7})")->reply.has_value());
}

TEST_CASE("the stream") {
    const auto event = parse_message(format_event({{"seq", 7}}));
    REQUIRE(event.has_value());
    CHECK(event->kind == ControlMessage::Kind::event);
    CHECK(event->event["seq"] == 7);
    const auto lagged = parse_message(format_lagged(1000));
    REQUIRE(lagged.has_value());
    CHECK(lagged->kind == ControlMessage::Kind::lagged);
    CHECK(lagged->dropped == 1000);
}

TEST_CASE("what no service says") {
    for (const char* line :
         {"", "x", "[]", "{}", R"({"ok":1})", R"({"event":1})", R"({"lagged":-1})",
          R"({"result":{}})"})
        CHECK_MESSAGE(!parse_message(line).has_value(), line);
}

TEST_CASE("text that is no UTF-8 does not make a reply impossible") {
    const std::string line = format_reply(json{{"product", "\xff\xfe"}});
    CHECK(parse_message(line)->reply.has_value());
}
