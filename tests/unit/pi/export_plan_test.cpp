// SPDX-License-Identifier: MIT
#include "devices.hpp"
#include "pi/export_plan.hpp"

#include <random>

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::testing;
using Busids = std::vector<std::string>;

namespace {

/// A Pi without hardware: what the plan says is done at once, and replanned.
struct Machine {
    ExportState state;
    ExportConfig config;
    Modes modes;
    TimePoint now{};

    void sees(const LocalDevice& local, Sight sight = Sight::event) {
        observe(state, local.device.place.busid(), local, sight, now);
    }
    void loses(const std::string& busid) {
        observe(state, busid, fail(ErrorKind::not_found, "gone"), Sight::event, now);
    }
    ExportPlan plan() const { return plan_exports(state, config, modes, now); }

    /// Announcements only.
    ExportPlan tell() {
        auto plan = this->plan();
        for (const auto& busid : plan.withdraw)
            state.announced.erase(busid);
        for (const auto& device : plan.announce)
            state.announced[device.place.busid()] = device;
        return plan;
    }
    /// Everything, until nothing is left to do; the number of rounds.
    int settle() {
        for (int round = 0; round < 10; ++round) {
            const auto plan = tell();
            if (plan.bind.empty() && plan.unbind.empty())
                return round;
            for (const auto& busid : plan.bind)
                sees(bound(state.plugged.at(busid).local), Sight::after_bind);
            for (const auto& busid : plan.unbind)
                sees(own_drivers.at(busid), Sight::after_bind);
        }
        return -1;
    }
    /// What the kernel binds once usbip-host lets go.
    std::map<std::string, LocalDevice> own_drivers;
};

} // namespace

TEST_CASE("a serial board is bound first and announced when it is bound") {
    Machine pi;
    pi.sees(acm_board("1-1.2"));
    auto plan = pi.tell();
    CHECK(plan.bind == Busids{"1-1.2"});
    CHECK(plan.announce.empty());
    pi.sees(bound(acm_board("1-1.2")), Sight::after_bind);
    plan = pi.tell();
    CHECK(plan.bind.empty());
    REQUIRE(plan.announce.size() == 1);
    CHECK(plan.announce[0].place.busid() == "1-1.2");
    CHECK(pi.tell().announce.empty());
}

TEST_CASE("what is kept is left alone") {
    Machine pi;
    pi.sees(keyboard("1-1.2"));
    const auto plan = pi.plan();
    CHECK(plan.bind.empty());
    CHECK(plan.unbind.empty());
    CHECK(plan.announce.empty());
    CHECK_FALSE(plan.look_again.has_value());
    CHECK(plan.judgements.at("1-1.2").kind == Judgement::Kind::kept);
}

TEST_CASE("one operation a device at a time") {
    Machine pi;
    pi.sees(acm_board("1-1.2"));
    pi.sees(acm_board("1-1.3"));
    pi.state.busy = {"1-1.2"};
    CHECK(pi.plan().bind == Busids{"1-1.3"});
}

TEST_CASE("an unplugged device is withdrawn") {
    Machine pi;
    pi.sees(acm_board("1-1.2"));
    pi.settle();
    pi.loses("1-1.2");
    CHECK(pi.tell().withdraw == Busids{"1-1.2"});
    CHECK(pi.tell() == ExportPlan{});
}

TEST_CASE("a replugged device is another one, though the kernel bound it at once") {
    Machine pi;
    pi.sees(acm_board("1-1.2"));
    pi.settle();
    SUBCASE("with its removal seen") {
        pi.loses("1-1.2");
    }
    SUBCASE("with its removal missed") {}
    pi.sees(bound(with_devnum(acm_board("1-1.2"), 6)));
    const auto plan = pi.tell();
    CHECK(plan.withdraw == Busids{"1-1.2"});
    REQUIRE(plan.announce.size() == 1);
    CHECK(plan.announce[0].devnum == 6);
    CHECK(plan.bind.empty());
    CHECK(plan.unbind.empty());
}

TEST_CASE("a replugged device that the kernel gave to its own driver is bound again") {
    Machine pi;
    pi.sees(acm_board("1-1.2"));
    pi.settle();
    pi.sees(with_devnum(acm_board("1-1.2"), 6));
    const auto plan = pi.tell();
    CHECK(plan.withdraw == Busids{"1-1.2"});
    CHECK(plan.bind == Busids{"1-1.2"});
}

TEST_CASE("a board whose driver is known by name only comes back after a replug") {
    Machine pi;
    pi.sees(cp210x_stick("1-1.2"));
    pi.settle();
    pi.loses("1-1.2");
    pi.tell();
    pi.sees(bound(with_devnum(cp210x_stick("1-1.2"), 6)));
    const auto plan = pi.tell();
    CHECK(plan.unbind.empty());
    CHECK(plan.announce.size() == 1);
}

TEST_CASE("another kind of device at a place that was exported goes back to its own driver") {
    Machine pi;
    pi.sees(cp210x_stick("1-1.2"));
    pi.settle();
    pi.loses("1-1.2");
    pi.tell();
    pi.sees(bound(with_devnum(keyboard("1-1.2"), 6)));
    pi.own_drivers["1-1.2"] = with_devnum(keyboard("1-1.2"), 6);
    const auto plan = pi.plan();
    CHECK(plan.unbind == Busids{"1-1.2"});
    CHECK(plan.announce.empty());
    CHECK(pi.settle() == 1);
    CHECK(pi.state.announced.empty());
}

TEST_CASE(
    "a network adapter that the kernel bound in a board's place goes back, whatever the mode") {
    Machine pi;
    pi.modes.places[{"platform-fe9c0000.xhci", PortPath::parse("1.2").value()}] = DeviceMode::usbip;
    pi.sees(board_at("1-1.2"));
    pi.settle();
    pi.loses("1-1.2");
    pi.tell();
    auto adapter = with_devnum(board_at("1-1.2"), 6); // as most are: of vendor class
    adapter.device.id = {0x0b95, 0x1790};
    adapter.device.device_class = {0xff, 0xff, 0};
    adapter.device.interfaces = {{0xff, 0xff, 0}};
    adapter.drivers = {"ax88179_178a"};
    adapter.networks = {"eth1"};
    pi.own_drivers["1-1.2"] = adapter;
    pi.sees(bound(adapter));
    const auto plan = pi.plan();
    CHECK(plan.unbind == Busids{"1-1.2"});
    CHECK(plan.announce.empty());
    CHECK(pi.settle() == 1);
    CHECK(pi.state.announced.empty());
    CHECK(pi.plan().judgements.at("1-1.2").why == "it is a network adapter");
}

TEST_CASE("a restarted service adopts what is bound, and rebinds nothing") {
    Machine pi;
    pi.sees(bound(cp210x_stick("1-1.2")), Sight::at_start);
    pi.sees(bound(keyboard("1-1.3")), Sight::at_start); // bound by hand, once
    const auto plan = pi.tell();
    CHECK(plan.bind.empty());
    CHECK(plan.unbind.empty());
    CHECK(plan.announce.size() == 2);
    pi.sees(bound(cp210x_stick("1-1.2"))); // events afterwards change nothing
    CHECK(pi.tell().unbind.empty());
}

TEST_CASE("what was bound by hand is announced") {
    Machine pi;
    pi.sees(keyboard("1-1.2"));
    pi.tell();
    pi.sees(bound(keyboard("1-1.2")));
    const auto plan = pi.tell();
    CHECK(plan.unbind.empty());
    CHECK(plan.announce.size() == 1);
}

TEST_CASE(
    "a device that the kernel bound for an entry of an earlier run is judged by its drivers") {
    Machine pi;
    pi.sees(bound(cp210x_stick("1-1.2")));
    pi.own_drivers["1-1.2"] = cp210x_stick("1-1.2");
    CHECK(pi.plan().unbind == Busids{"1-1.2"});
    CHECK(pi.settle() == 2);
    CHECK(pi.state.announced.contains("1-1.2"));
}

TEST_CASE("a changed pi.yaml gives devices back, and takes others") {
    Machine pi;
    pi.sees(cp210x_stick("1-1.2"));
    pi.sees(keyboard("1-1.3"));
    pi.own_drivers["1-1.2"] = cp210x_stick("1-1.2");
    pi.settle();
    pi.config.drivers = {"usbhid"};
    const auto plan = pi.plan();
    CHECK(plan.withdraw == Busids{"1-1.2"});
    CHECK(plan.unbind == Busids{"1-1.2"});
    CHECK(plan.bind == Busids{"1-1.3"});
    CHECK(pi.settle() == 1);
    CHECK(pi.state.announced.size() == 1);
    CHECK(pi.state.announced.contains("1-1.3"));
}

TEST_CASE("an adopted device goes when never names it, and only then") {
    Machine pi;
    pi.sees(bound(cp210x_stick("1-1.2")), Sight::at_start);
    pi.tell();
    pi.config.drivers.clear();
    CHECK(pi.plan().unbind.empty());
    pi.config.never.ids = {{0x10c4, 0xea60}};
    const auto plan = pi.plan();
    CHECK(plan.withdraw == Busids{"1-1.2"});
    CHECK(plan.unbind == Busids{"1-1.2"});
}

TEST_CASE("what failed is tried again after 0.5 s, 1 s, 2 s, ... 30 s") {
    Machine pi;
    pi.sees(acm_board("1-1.2"));
    for (const int pause : {500, 1000, 2000, 4000, 8000, 16'000, 30'000, 30'000}) {
        CHECK(pi.plan().bind == Busids{"1-1.2"});
        note_failure(pi.state, "1-1.2", "no", pi.now);
        CHECK(pi.plan().bind.empty());
        CHECK(pi.plan().look_again == pi.now + milliseconds(pause));
        pi.now += milliseconds(pause - 1);
        CHECK(pi.plan().bind.empty());
        pi.now += milliseconds(1);
    }
    note_failure(pi.state, "1-1.2", "no", pi.now);
    pi.sees(with_devnum(acm_board("1-1.2"), 6)); // plugged anew: a fresh start
    CHECK(pi.plan().bind == Busids{"1-1.2"});
    CHECK(pi.state.failed.empty());
}

TEST_CASE("a bind without an answer that worked after all is ours") {
    Machine pi;
    pi.sees(cp210x_stick("1-1.2"));
    note_failure(pi.state, "1-1.2", "no answer", pi.now);
    pi.sees(bound(cp210x_stick("1-1.2")));
    CHECK_FALSE(pi.state.before.at("1-1.2").adopted);
    CHECK(pi.tell().announce.size() == 1);
}

TEST_CASE("a device whose drivers are on their way is looked at again when they must have come") {
    Machine pi;
    pi.config.ids = {{0x10c4, 0xea60}};
    auto local = cp210x_stick("1-1.2");
    local.drivers.clear();
    local.driverless = 1;
    pi.sees(local);
    pi.now += milliseconds(100);
    CHECK(pi.plan().bind.empty());
    CHECK(pi.plan().look_again == TimePoint{} + settling_time);
    pi.now = TimePoint{} + settling_time;
    CHECK(pi.plan().bind == Busids{"1-1.2"});
}

TEST_CASE("when the guest selects a configuration the device is still the same") {
    Machine pi;
    pi.sees(acm_board("1-1.2"));
    pi.settle();
    auto used = bound(acm_board("1-1.2"));
    used.configuration = 2;
    used.device.interfaces = {{8, 6, 80}};
    pi.sees(used);
    CHECK(pi.tell().announce.empty());
    CHECK(pi.tell().withdraw.empty());
}

TEST_CASE("apply and replan converges, for any mixture and any change of mind") {
    std::mt19937 random(2);
    const auto any = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    for (int round = 0; round < 300; ++round) {
        Machine pi;
        for (int step = 0; step < 12; ++step) {
            const auto busid = fmt::format("1-1.{}", 1 + any(3));
            LocalDevice local = any(3) == 0   ? acm_board(busid)
                                : any(2) == 0 ? cp210x_stick(busid)
                                              : keyboard(busid);
            local.device.devnum = any(4) + 1;
            pi.own_drivers[busid] = local;
            switch (any(5)) {
            case 0:
                pi.loses(busid);
                break;
            case 1:
                pi.sees(bound(local), step == 0 ? Sight::at_start : Sight::event);
                break;
            case 2:
                pi.config.drivers =
                    any(2) ? std::vector<std::string>{"usbhid"} : ExportConfig{}.drivers;
                break;
            default:
                pi.sees(local);
            }
            pi.now += settling_time;
            REQUIRE(pi.settle() >= 0);
            for (const auto& [id, device] : pi.state.announced) {
                REQUIRE(pi.state.plugged.contains(id));
                REQUIRE(is_bound(pi.state.plugged.at(id).local));
            }
            REQUIRE(pi.plan().announce.empty());
            REQUIRE(pi.plan().withdraw.empty());
        }
    }
}
