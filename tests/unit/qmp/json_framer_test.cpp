// SPDX-License-Identifier: MIT
#include "qmp/json_framer.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace longcord;

namespace {

/// Every value of a stream that arrives in pieces of `piece` bytes; "error" at its end if it broke.
std::vector<std::string> values(std::string_view stream, std::size_t piece) {
    JsonFramer framer;
    std::vector<std::string> found;
    while (!stream.empty()) {
        framer.feed(stream.substr(0, piece));
        stream.remove_prefix(std::min(piece, stream.size()));
        for (;;) {
            const auto value = framer.next();
            if (!value) {
                found.emplace_back("error");
                return found;
            }
            if (!*value)
                break;
            found.push_back(**value);
        }
    }
    return found;
}

using Values = std::vector<std::string>;

} // namespace

TEST_CASE("values end where their braces close, however they arrive") {
    const std::string_view stream =
        "{\"QMP\": {}}\r\n{\"return\": {\n    \"a\": [\n        1\n    ]\n"
        "}}\r\n{}[]{\"b\":2}";
    const Values expected = {
        "{\"QMP\": {}}", "{\"return\": {\n    \"a\": [\n        1\n    ]\n}}", "{}", "[]",
        "{\"b\":2}"};
    for (std::size_t piece = 1; piece <= stream.size(); ++piece)
        CHECK(values(stream, piece) == expected);
}

TEST_CASE("braces, quotes and backslashes in strings do not count") {
    const std::string_view stream = R"({"a}{":"\"}\\"}{"b":"]\\\"["})";
    for (std::size_t piece = 1; piece <= stream.size(); ++piece)
        CHECK(values(stream, piece) == Values{R"({"a}{":"\"}\\"})", R"({"b":"]\\\"["})"});
}

TEST_CASE("a half value is waited for") {
    CHECK(values("{\"return\": {", 3).empty());
    CHECK(values(R"({"a":"}\")", 2).empty());
    CHECK(values(" \r\n\t ", 1).empty());
}

TEST_CASE("what is no object is garbage, and what came before it is not lost") {
    CHECK(values("HTTP/1.1 400 Bad Request\r\n", 64) == Values{"error"});
    CHECK(values("{}}", 64) == Values{"{}", "error"});
    CHECK(values("{} 7", 64) == Values{"{}", "error"});
    CHECK(values(std::string_view("\0{}", 3), 64) == Values{"error"});
}

TEST_CASE("a value of 4 MiB passes, one byte more does not") {
    const auto value = [](std::size_t size) {
        std::string text = "{\"a\":\"";
        text.append(size - text.size() - 2, 'x');
        return text + "\"}";
    };
    constexpr std::size_t piece = 65536;
    const auto largest = value(JsonFramer::max_value);
    REQUIRE(values(largest, piece).size() == 1);
    CHECK(values(largest, piece)[0] == largest);
    CHECK(values(value(JsonFramer::max_value + 1), piece) == Values{"error"});
}

TEST_CASE("nesting has a limit") {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    CHECK(values(nested(JsonFramer::max_depth), 64).size() == 1);
    CHECK(values(nested(JsonFramer::max_depth), 64)[0] != "error");
    CHECK(values(nested(JsonFramer::max_depth + 1), 64) == Values{"error"});
}
