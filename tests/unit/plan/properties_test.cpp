// SPDX-License-Identifier: MIT
// What must hold in any world (design, section 3): random towns, seeds printed on failure.
#include "town.hpp"

#include <random>

using namespace longcord;
using namespace longcord::test;

namespace {

class RandomTown {
  public:
    explicit RandomTown(unsigned seed) : random_(seed) {
        for (const char* pi : {"attic", "workbench"})
            town.pi(pi);
        for (unsigned vmid = 100; vmid < 103; ++vmid)
            if (chance(2))
                town.vm(vmid);
        for (int i = 0; i < 8; ++i)
            something_happens();
    }

    void something_happens() {
        const std::string place = places[pick(std::size(places))];
        const unsigned vmid = 100 + pick(3);
        switch (pick(7)) {
        case 0:
        case 1:
            return plug(place);
        case 2:
            return town.unplug_device(place);
        case 3:
            town.vm(vmid);
            return;
        case 4:
            return town.stop_vm(vmid);
        case 5:
            town.rules(vmid, random_rules());
            return;
        case 6:
            if (place.find('/') != std::string::npos)
                town.stream_dies(place);
            return;
        }
    }

    Town town;

  private:
    static constexpr const char* places[] = {"attic/1-1", "attic/1-1.2", "workbench/1-1", "3-4.1",
                                             "3-4.2",     "3-40",        "workbench/2-3"};
    static constexpr const char* lines[] = {"3-4",    "attic", "workbench/1-1", "*/* 1a86:55d4",
                                            "!3-4.2", "3-40",  "attic/1-1",     "workbench"};

    unsigned pick(std::size_t n) { return static_cast<unsigned>(random_() % n); }
    bool chance(unsigned one_in) { return pick(one_in) == 0; }

    void plug(const std::string& place) {
        if (place.find('/') != std::string::npos)
            town.device(place);
        else
            town.local(place);
    }

    std::string random_rules() {
        std::string text;
        for (const char* line : lines)
            if (chance(3))
                text += std::string(line) + '\n';
        return text;
    }

    std::mt19937 random_;
};

void check_invariants(const Town& town) {
    std::map<std::string, int> holders;
    for (unsigned vmid = 100; vmid < 103; ++vmid)
        for (const auto& id : town.inside(vmid))
            CHECK(++holders[id] == 1);
    for (const auto& place : town.imported()) {
        const auto outcome = town.outcome(place.to_string());
        CHECK(outcome.state == DeviceState::plugged); // no import without a VM that has it
    }
}

} // namespace

TEST_CASE("apply-and-replan converges, and then the plan is empty, no device in two VMs") {
    for (unsigned seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        RandomTown random(seed);
        for (int step = 0; step < 12; ++step) {
            random.town.now += seconds(40); // patience is another file's subject
            random.town.settle();
            check_invariants(random.town);
            random.something_happens();
        }
    }
}

TEST_CASE("a device is never given to a VM while another VM still has it") {
    for (unsigned seed = 1000; seed < 1200; ++seed) {
        CAPTURE(seed);
        RandomTown random(seed);
        random.town.refuse = [&](const Action& action) -> Result<> {
            if (const auto* plug = std::get_if<PlugDevice>(&action))
                for (unsigned vmid = 100; vmid < 103; ++vmid)
                    for (const auto& id : random.town.inside(vmid))
                        CHECK(id != plug->command.id);
            return {};
        };
        for (int step = 0; step < 8; ++step) {
            random.town.now += seconds(40);
            random.town.settle();
            random.something_happens();
        }
    }
}

TEST_CASE("the order in which things became known does not change the plan") {
    const auto build = [](bool reversed) {
        Town town;
        const std::vector<std::function<void()>> facts{
            [&] { town.rules(101, "workbench/1-1.2\n3-4"); },
            [&] { town.rules(100, "workbench\n3-4.1"); },
            [&] { town.vm(101); },
            [&] { town.vm(100); },
        };
        town.pi("workbench").device("workbench/1-1.2").device("workbench/1-3");
        town.local("3-4.1").local("3-4.2");
        for (std::size_t i = 0; i < facts.size(); ++i)
            facts[reversed ? facts.size() - 1 - i : i]();
        for (const unsigned vmid : {100u, 101u})
            town.apply(LookAtVm{vmid});
        return town.planned();
    };
    const auto plan = build(false);
    CHECK(plan.size() == 4);
    CHECK(plan == build(true));
}

TEST_CASE("planning twice gives the same plan: it has no memory and no clock of its own") {
    for (unsigned seed = 0; seed < 50; ++seed) {
        RandomTown random(seed);
        CHECK(random.town.planned() == random.town.planned());
    }
}
