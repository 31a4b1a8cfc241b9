// SPDX-License-Identifier: MIT
#include "control/event_log.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace longcord;
using nlohmann::json;

static std::vector<int> numbers(const json& reply) {
    std::vector<int> out;
    for (const json& event : reply["events"])
        out.push_back(event["seq"].get<int>());
    return out;
}

static Event said(std::string message) {
    Event event;
    event.message = std::move(message);
    return event;
}

TEST_CASE("the log numbers events and forgets the oldest") {
    EventLog log(3);
    for (int i = 0; i < 5; ++i)
        log.add(said("x"));
    CHECK(numbers(log.to_json(json::object())) == std::vector<int>{3, 4, 5});
}

TEST_CASE("ten thousand are kept, the next pushes the first out") {
    EventLog log;
    for (std::size_t i = 0; i < EventLog::standard_capacity; ++i)
        log.add(said("x"));
    CHECK(log.events().front().seq == 1);
    log.add(said("x"));
    CHECK(log.events().size() == 10'000);
    CHECK(log.events().front().seq == 2);
}

TEST_CASE("limit and since") {
    EventLog log(10);
    for (int i = 0; i < 5; ++i)
        log.add(said("x"));
    CHECK(numbers(log.to_json({{"limit", 2}})) == std::vector<int>{4, 5});
    CHECK(numbers(log.to_json({{"limit", 0}})).empty());
    CHECK(numbers(log.to_json({{"limit", 99}})).size() == 5);
    CHECK(numbers(log.to_json({{"since", 3}})) == std::vector<int>{4, 5});
    CHECK(numbers(log.to_json({{"since", 1}, {"limit", 1}})) == std::vector<int>{5});
    CHECK(numbers(log.to_json({{"since", 9}})).empty());
    CHECK(numbers(log.to_json({{"limit", "2"}, {"since", -1}})).size() == 5);
    CHECK(numbers(log.to_json(nullptr)).size() == 5);
}

TEST_CASE("an event as JSON: what is not there is null") {
    Event event;
    event.seq = 7;
    event.time = EventTime(milliseconds(1'772'366'400'123));
    event.kind = "plugged";
    event.message = "m";
    CHECK(
        to_json(event).dump() ==
        R"({"address":null,"kind":"plugged","message":"m","pi":null,"place":null,"seq":7,)"
        R"("time":"2026-03-01T12:00:00.123Z","took_ms":null,"vmid":null})");
    event.place = "workbench/1-1.2";
    event.pi = "workbench";
    event.vmid = 100;
    event.took = milliseconds(34);
    event.address = "10.0.0.5";
    CHECK(to_json(event)["place"] == "workbench/1-1.2");
    CHECK(to_json(event)["pi"] == "workbench");
    CHECK(to_json(event)["vmid"] == 100);
    CHECK(to_json(event)["took_ms"] == 34);
    CHECK(to_json(event)["address"] == "10.0.0.5");
}

TEST_CASE("times are written and read") {
    for (const std::int64_t at : {0LL, 951'782'400'000LL, 1'772'366'400'123LL, 4'102'444'799'999LL})
        CHECK(parse_time(format_time(EventTime(milliseconds(at)))) == EventTime(milliseconds(at)));
    CHECK(format_time(EventTime{}) == "1970-01-01T00:00:00.000Z");
    for (const char* text :
         {"", "2026-03-01", "2026-13-01T12:00:00.000Z", "2026-02-30T12:00:00.000Z",
          "2026-03-01T24:00:00.000Z", "2026-03-01T12:00:00.000+", "xxxx-03-01T12:00:00.000Z",
          "2026-03-01T12:00:00.0000Z"})
        CHECK_MESSAGE(!parse_time(text).has_value(), text);
}
