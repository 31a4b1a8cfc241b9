// SPDX-License-Identifier: MIT
#include "base/log.hpp"
#include "control/log_level.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace longcord;
using nlohmann::json;

namespace {

struct Restored {
    std::string before = log_level();
    ~Restored() { set_log_level(before); }
};

} // namespace

TEST_CASE("log-level changes the level at once, and tells what is configured") {
    const Restored restored;
    for (const char* level : {"trace", "debug", "info", "warn", "error"}) {
        const auto reply = answer_log_level({{"level", level}}, "info");
        REQUIRE(reply.has_value());
        CHECK(*reply == json{{"level", level}, {"configured", "info"}});
        CHECK(log_level() == level);
    }
}

TEST_CASE("without a level it is only told, and no other word changes it") {
    const Restored restored;
    set_log_level("warn");
    for (const json& args : {json::object(), json(), json{{"level", nullptr}}, json::array()})
        CHECK(answer_log_level(args, "info")->at("level") == "warn");
    for (const json& level : {json("loud"), json(""), json(3), json("INFO")}) {
        const auto reply = answer_log_level({{"level", level}}, "info");
        REQUIRE_FALSE(reply.has_value());
        CHECK(reply.error().kind == ErrorKind::invalid);
        CHECK(reply.error().message.find("trace, debug, info, warn") != std::string::npos);
    }
    CHECK(log_level() == "warn");
}
