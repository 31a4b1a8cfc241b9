// SPDX-License-Identifier: MIT
#include "pi/leases.hpp"

#include <random>

#include <doctest/doctest.h>

using namespace longcord;
using namespace std::chrono_literals;

namespace {

const Holder node1{"pve1:22", "pve1", 100};
const Holder node2{"pve2:22", "pve2", 200};
const Holder plain{"", "10.77.0.9", std::nullopt};
constexpr TimePoint start{};

const Leases::Notices told_node2{{"pve2:22", "1-1"}};

/// A stream of node 1 for 1-1.
std::uint64_t stream_of_node1(Leases& leases) {
    CHECK_FALSE(leases.open("1-1", node1, start).busy.has_value());
    return leases.begin("1-1", node1.link, start).value();
}

} // namespace

TEST_CASE("the first node that asks gets it, the other hears who has it, and when it is free") {
    Leases leases;
    const auto stream = stream_of_node1(leases);
    CHECK((leases.open("1-1", node2, start).busy == node1));
    CHECK((leases.end("1-1", stream, std::nullopt, start) == told_node2));
    CHECK((leases.find("1-1") == nullptr));
    CHECK_FALSE(leases.open("1-1", node2, start).busy.has_value());
}

TEST_CASE("a promise is as good as a stream, for 10 s") {
    Leases leases;
    leases.open("1-1", node1, start);
    CHECK((leases.open("1-1", node2, start).busy == node1));
    CHECK((leases.next_expiry() == start + 10s));
    CHECK(leases.expire(start + 10s - 1ms).empty());
    CHECK((leases.expire(start + 10s) == told_node2));
    CHECK_FALSE(leases.begin("1-1", node1.link, start + 10s).has_value());
}

TEST_CASE("a stream that nobody was promised is none") {
    Leases leases;
    CHECK_FALSE(leases.begin("1-1", node1.link, start).has_value());
    leases.open("1-1", node1, start);
    CHECK_FALSE(leases.begin("1-1", node2.link, start).has_value());
    CHECK_FALSE(leases.begin("1-2", node1.link, start).has_value());
    CHECK(leases.begin("1-1", node1.link, start).has_value());
    CHECK_FALSE(leases.begin("1-1", node1.link, start).has_value());
}

TEST_CASE("a stream that dies in silence keeps its device for the node's time-out and 1 s more") {
    Leases leases;
    const auto stream = stream_of_node1(leases);
    leases.open("1-1", node2, start);
    CHECK(leases.end("1-1", stream, 3s, start).empty());
    CHECK((leases.open("1-1", node2, start).busy == node1));
    CHECK((leases.next_expiry() == start + 4s));
    SUBCASE("then the other node can have it") {
        CHECK(leases.expire(start + 4s - 1ms).empty());
        CHECK((leases.expire(start + 4s) == told_node2));
    }
    SUBCASE("unless its own node is back before") {
        CHECK_FALSE(leases.open("1-1", node1, start + 1s).busy.has_value());
        CHECK(leases.begin("1-1", node1.link, start + 1s).has_value());
        CHECK_FALSE(leases.next_expiry().has_value());
    }
    SUBCASE("or says that it wants it no more") {
        CHECK((leases.close("1-1", node1.link) == told_node2));
    }
}

TEST_CASE("a node that opens its own device again has lost the stream over there") {
    Leases leases;
    const auto old = stream_of_node1(leases);
    const auto verdict = leases.open("1-1", node1, start);
    CHECK_FALSE(verdict.busy.has_value());
    CHECK((verdict.cut == old));
    CHECK(leases.end("1-1", old, std::nullopt, start).empty()); // changes nothing for the new one
    CHECK(leases.begin("1-1", node1.link, start).has_value());
}

TEST_CASE("a restarted node asks anew, and its streams go on") {
    Leases leases;
    const auto stream = stream_of_node1(leases);
    leases.open("1-2", node1, start);
    leases.open("1-2", node2, start);
    CHECK((leases.link_down(node1.link) == Leases::Notices{{"pve2:22", "1-2"}}));
    CHECK((leases.find("1-1")->state == Lease::State::streaming));
    CHECK((leases.find("1-2") == nullptr));
    leases.open("1-1", node2, start);
    leases.link_down(node2.link);
    CHECK(leases.end("1-1", stream, std::nullopt, start).empty());
}

TEST_CASE("a device that is gone is nobody's, and nobody waits for it") {
    Leases leases;
    const auto stream = stream_of_node1(leases);
    leases.open("1-1", node2, start);
    leases.forget("1-1");
    CHECK(leases.end("1-1", stream, std::nullopt, start).empty());
    CHECK(leases.all().empty());
}

TEST_CASE("a plain client has a device like everybody, and is told nothing") {
    Leases leases;
    CHECK_FALSE(leases.open("1-1", plain, start).busy.has_value());
    const auto stream = leases.begin("1-1", "", start);
    REQUIRE(stream.has_value());
    CHECK((leases.open("1-1", node2, start).busy == plain));
    CHECK(leases.open("1-1", plain, start).busy == plain); // another one at the same address
    CHECK((leases.end("1-1", *stream, std::nullopt, start) == told_node2));
}

TEST_CASE("a stream from before the restart is its node's, once it is linked") {
    Leases leases;
    leases.adopt("1-1", node1);
    CHECK((leases.open("1-1", node2, start).busy == node1));
    CHECK(leases.open("1-1", node1, start).cut.has_value());
}

TEST_CASE("whatever happens: one holder, everybody who waits is told once, all ends by itself") {
    std::mt19937 random(4);
    const auto any = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    const Holder holders[] = {node1, node2, {"pve3:22", "pve3", 300}, plain};
    const std::string busids[] = {"1-1", "1-2"};
    for (int round = 0; round < 500; ++round) {
        Leases leases;
        TimePoint now = start;
        std::set<std::pair<std::string, std::string>> waiting; // link, busid
        const auto told = [&](const Leases::Notices& notices) {
            for (const auto& notice : notices) {
                REQUIRE(waiting.erase({notice.link, notice.busid}) == 1);
                REQUIRE(leases.find(notice.busid) == nullptr);
            }
        };
        for (int step = 0; step < 40; ++step) {
            now += milliseconds(any(4'000));
            told(leases.expire(now));
            const Holder& who = holders[any(4)];
            const std::string& busid = busids[any(2)];
            const Lease* held = leases.find(busid);
            const auto before = held ? std::optional(*held) : std::nullopt;
            switch (any(6)) {
            case 0:
            case 1: {
                const auto verdict = leases.open(busid, who, now);
                const bool others = before && (who.link.empty() || before->holder.link != who.link);
                REQUIRE(verdict.busy.has_value() == others);
                if (others && !who.link.empty())
                    waiting.insert({who.link, busid});
                else if (!others)
                    waiting.erase({who.link, busid});
                REQUIRE((leases.find(busid)->holder == (others ? before->holder : who)));
                break;
            }
            case 2:
                if (leases.begin(busid, who.link, now))
                    REQUIRE(before->holder.link == who.link);
                break;
            case 3:
                if (before)
                    told(leases.end(
                        busid, before->stream, any(2) ? std::optional(3000ms) : std::nullopt, now));
                break;
            case 4:
                waiting.erase({who.link, busid});
                told(leases.close(busid, who.link));
                break;
            default:
                std::erase_if(waiting, [&](const auto& one) { return one.first == who.link; });
                told(leases.link_down(who.link));
            }
        }
        for (const auto& busid : busids)
            if (const Lease* held = leases.find(busid))
                told(leases.end(busid, held->stream, std::nullopt, now));
        told(leases.expire(now + 3600s));
        REQUIRE(leases.all().empty());
        REQUIRE(waiting.empty());
    }
}
