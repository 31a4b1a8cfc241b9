// SPDX-License-Identifier: MIT
#include "host/state_teller.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace longcord;

namespace {

const Place board = Place::parse("workbench/1-1").value();
const Place stick = Place::parse("workbench/1-2").value();

struct Told {
    asio::io_context loop;
    std::vector<std::string> words;
    StateTeller teller{loop, [this](const Place& place, const Outcome& outcome) {
                           words.push_back(fmt::format(
                               "{} {}{}", place.busid(), to_string(outcome.state),
                               outcome.why.empty() ? "" : ": " + outcome.why));
                       }};

    void changed(const Place& place, DeviceState state, std::string why = "") {
        Outcome outcome;
        outcome.state = state;
        outcome.why = std::move(why);
        teller.changed(place, &outcome);
    }
    /// As long as anything is still to be told.
    std::vector<std::string> in_the_end() {
        loop.run();
        loop.restart();
        return std::exchange(words, {});
    }
};

using Words = std::vector<std::string>;

} // namespace

TEST_CASE("where a device stands is told at once") {
    Told told;
    for (const auto state :
         {DeviceState::unclaimed, DeviceState::waiting, DeviceState::plugged, DeviceState::held_off,
          DeviceState::conflict, DeviceState::refused, DeviceState::hub})
        told.changed(board, state);
    CHECK(
        told.words == Words{
                          "1-1 unclaimed", "1-1 waiting", "1-1 plugged", "1-1 held_off",
                          "1-1 conflict", "1-1 refused", "1-1 hub"});
}

TEST_CASE("what it passes through is not told, unless it lasts") {
    Told told;
    told.changed(board, DeviceState::importing, "being imported");
    told.changed(board, DeviceState::plugging, "plug");
    told.changed(stick, DeviceState::importing, "being imported");
    told.changed(board, DeviceState::plugged);
    told.changed(stick, DeviceState::importing, "being enumerated");
    CHECK(told.words == Words{"1-1 plugged"});
    told.words.clear();
    CHECK(told.in_the_end() == Words{"1-2 importing: being enumerated"});
    told.changed(stick, DeviceState::leaving);
    CHECK(told.in_the_end() == Words{"1-2 leaving"});
}

TEST_CASE("of a device that is gone nothing more is told") {
    Told told;
    told.changed(board, DeviceState::leaving);
    told.teller.changed(board, nullptr);
    CHECK(told.in_the_end().empty());
}
