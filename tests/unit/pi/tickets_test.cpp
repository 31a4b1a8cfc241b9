// SPDX-License-Identifier: MIT
#include "pi/tickets.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static Grant grant(std::string busid, std::string link) {
    Grant made{std::move(busid), std::move(link), {}};
    made.secret = make_stream_secret().value();
    return made;
}

TEST_CASE("a ticket serves once") {
    Tickets tickets;
    const TimePoint now{};
    const auto given = grant("1-1", "pve1:22");
    tickets.add(given, now);
    CHECK(tickets.outstanding(now) == 1);
    const auto taken = tickets.redeem(given.secret.ticket, now);
    REQUIRE(taken.has_value());
    CHECK(taken->busid == "1-1");
    CHECK(taken->link == "pve1:22");
    CHECK((taken->secret == given.secret));
    CHECK_FALSE(tickets.redeem(given.secret.ticket, now).has_value());
    CHECK((tickets.refused() == Tickets::Refused{0, 1, 0}));
    CHECK(tickets.outstanding(now) == 0);
}

TEST_CASE("a ticket is good for 10 s, and not longer") {
    Tickets tickets;
    const TimePoint now{};
    const auto early = grant("1-1", "pve1:22");
    const auto late = grant("1-2", "pve1:22");
    tickets.add(early, now);
    tickets.add(late, now);
    CHECK(tickets.redeem(early.secret.ticket, now + milliseconds(10'000)).has_value());
    CHECK_FALSE(tickets.redeem(late.secret.ticket, now + milliseconds(10'001)).has_value());
    CHECK((tickets.refused() == Tickets::Refused{0, 0, 1}));
    CHECK_FALSE(tickets.redeem(late.secret.ticket, now + milliseconds(10'002)).has_value());
    CHECK((tickets.refused() == Tickets::Refused{0, 0, 2}));
}

TEST_CASE("a ticket that was never given is wrong, also with one bit of difference") {
    Tickets tickets;
    const auto given = grant("1-1", "pve1:22");
    tickets.add(given, TimePoint{});
    for (const std::size_t at : {std::size_t{0}, Ticket::size - 1}) {
        Ticket other = given.secret.ticket;
        other.data()[at] = static_cast<std::uint8_t>(other.data()[at] ^ 1);
        CHECK_FALSE(tickets.redeem(other, TimePoint{}).has_value());
    }
    CHECK((tickets.refused() == Tickets::Refused{2, 0, 0}));
    CHECK(tickets.redeem(given.secret.ticket, TimePoint{}).has_value());
}

TEST_CASE("a newer open takes the older ticket back, of the same link and device only") {
    Tickets tickets;
    const auto first = grant("1-1", "pve1:22");
    const auto other_link = grant("1-1", "pve2:22");
    const auto other_device = grant("1-2", "pve1:22");
    const auto second = grant("1-1", "pve1:22");
    for (const auto& each : {first, other_link, other_device, second})
        tickets.add(each, TimePoint{});
    CHECK_FALSE(tickets.redeem(first.secret.ticket, TimePoint{}).has_value());
    CHECK(tickets.redeem(other_link.secret.ticket, TimePoint{}).has_value());
    CHECK(tickets.redeem(other_device.secret.ticket, TimePoint{}).has_value());
    CHECK(tickets.redeem(second.secret.ticket, TimePoint{}).has_value());
}

TEST_CASE("tickets go with their link, and with their device") {
    Tickets tickets;
    const auto one = grant("1-1", "pve1:22");
    const auto two = grant("1-2", "pve2:22");
    tickets.add(one, TimePoint{});
    tickets.add(two, TimePoint{});
    tickets.revoke_link("pve1:22");
    tickets.revoke_device("1-2");
    CHECK_FALSE(tickets.redeem(one.secret.ticket, TimePoint{}).has_value());
    CHECK_FALSE(tickets.redeem(two.secret.ticket, TimePoint{}).has_value());
    CHECK((tickets.refused() == Tickets::Refused{0, 0, 2}));
}

static Grant serial_grant(std::string link) {
    Grant made = grant("", std::move(link));
    made.serial = SerialGrant{"pci-0000:00:14.0/4", "pve1 for 10.0.0.5:53211"};
    return made;
}

TEST_CASE("each client of a serial port has a ticket of its own, 64 a link at a time") {
    Tickets tickets;
    std::vector<Grant> given;
    for (std::size_t n = 0; n < Tickets::max_serial; ++n) {
        given.push_back(serial_grant("pve1:22"));
        REQUIRE(tickets.add(given.back(), TimePoint{}).has_value());
    }
    const auto refused = tickets.add(serial_grant("pve1:22"), TimePoint{});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::full);
    CHECK(tickets.add(serial_grant("pve2:22"), TimePoint{}).has_value());
    CHECK(tickets.add(grant("1-1", "pve1:22"), TimePoint{}).has_value());
    const auto taken = tickets.redeem(given.front().secret.ticket, TimePoint{});
    REQUIRE(taken.has_value());
    CHECK((taken->serial == given.front().serial));
    CHECK(tickets.add(serial_grant("pve1:22"), TimePoint{}).has_value());
    // Those that never came make room when their time is over.
    CHECK(tickets.add(serial_grant("pve1:22"), TimePoint{} + Tickets::lifetime + milliseconds(1))
              .has_value());
}

TEST_CASE("a serial ticket goes with its link, not with a device") {
    Tickets tickets;
    const auto one = serial_grant("pve1:22");
    const auto two = serial_grant("pve2:22");
    for (const auto& each : {one, two})
        REQUIRE(tickets.add(each, TimePoint{}).has_value());
    tickets.revoke("", "pve1:22");
    tickets.revoke_link("pve2:22");
    CHECK(tickets.redeem(one.secret.ticket, TimePoint{}).has_value());
    CHECK_FALSE(tickets.redeem(two.secret.ticket, TimePoint{}).has_value());
}

TEST_CASE("spent tickets cost bounded memory") {
    Tickets tickets;
    const auto first = grant("1-1", "pve1:22");
    tickets.add(first, TimePoint{});
    CHECK(tickets.redeem(first.secret.ticket, TimePoint{}).has_value());
    for (std::size_t n = 0; n < Tickets::remembered; ++n) {
        const auto next = grant("1-1", "pve1:22");
        tickets.add(next, TimePoint{});
        CHECK(tickets.redeem(next.secret.ticket, TimePoint{}).has_value());
    }
    CHECK_FALSE(tickets.redeem(first.secret.ticket, TimePoint{}).has_value());
    CHECK((tickets.refused() == Tickets::Refused{1, 0, 0})); // forgotten, and still refused
}
