// SPDX-License-Identifier: MIT
#include "devices.hpp"
#include "pi/comings.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::testing;

namespace {

struct Pi {
    ExportState state;
    Comings comings;

    void plug(const LocalDevice& local) {
        observe(state, local.device.place.busid(), local, Sight::event, TimePoint{});
    }
    void unplug(const std::string& busid) {
        observe(state, busid, fail(ErrorKind::not_found, "gone"), Sight::event, TimePoint{});
    }
    std::vector<std::string> kinds() {
        std::vector<std::string> out;
        for (const auto& told : comings.look(state))
            out.push_back(told.busid + " " + told.kind);
        return out;
    }
};

using Kinds = std::vector<std::string>;

} // namespace

TEST_CASE("a device that comes and goes is told once each") {
    Pi pi;
    pi.plug(board_at("1-1.2"));
    CHECK(pi.kinds() == Kinds{"1-1.2 came"});
    CHECK(pi.kinds().empty());
    pi.unplug("1-1.2");
    CHECK(pi.kinds() == Kinds{"1-1.2 went"});
    CHECK(pi.kinds().empty());
}

TEST_CASE("a device that was plugged anew has gone and come") {
    Pi pi;
    auto board = board_at("1-1.2");
    pi.plug(board);
    pi.kinds();
    board.device.devnum += 1;
    pi.plug(board);
    CHECK(pi.kinds() == Kinds{"1-1.2 went", "1-1.2 came"});
}
