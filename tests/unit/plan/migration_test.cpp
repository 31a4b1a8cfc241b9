// SPDX-License-Identifier: MIT
// A VM comes from another node, or goes there. Proxmox moves its configuration before it lets the
// guest go on, and takes the lock away last.
#include "town.hpp"

using namespace longcord;
using namespace longcord::test;

namespace {

std::map<unsigned, VmConfig> config(const std::string& text = "name: a\n") {
    return {{100, parse_vm_config(text)}};
}

constexpr const char* id = "usbhost-workbench-1-1.2";

} // namespace

TEST_CASE("a VM that came is asked when its configuration has come, however long that took") {
    Town town;
    town.pi("workbench").device("workbench/1-1.2").vm(100, RunState::inmigrate);
    town.rules(100, "workbench");
    vms_configured(town.world, {});
    for (int look = 0; look < 10; ++look) {
        town.settle();
        town.now += std::chrono::minutes(1);
    }
    town.settle();
    REQUIRE(town.inside(100).empty());

    town.qemu(100, RunState::running);
    SUBCASE("with its lock, which goes a moment later") {
        vms_configured(town.world, config("lock: migrate\n"));
        town.settle();
        CHECK(town.inside(100).empty());
        vms_configured(town.world, config());
    }
    SUBCASE("the lock has gone already") {
        vms_configured(town.world, config());
    }
    town.settle();
    CHECK(town.inside(100) == std::vector<std::string>{id});
}

TEST_CASE("a VM that goes is empty before its RAM is sent, and gets nothing any more") {
    Town town;
    town.pi("workbench").device("workbench/1-1.2").vm(100).rules(100, "workbench");
    vms_configured(town.world, config());
    town.settle();
    REQUIRE(town.inside(100) == std::vector<std::string>{id});

    vms_configured(town.world, config("lock: migrate\n"));
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.imported().empty());

    // The configuration is gone, this QEMU not quite: nothing of it may come back.
    vms_configured(town.world, {});
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.imported().empty());
    town.stop_vm(100);
    town.settle();
    CHECK(town.imported().empty());
}

TEST_CASE("a migration that failed gives the device back") {
    Town town;
    town.pi("workbench").device("workbench/1-1.2").vm(100).rules(100, "workbench");
    vms_configured(town.world, config("lock: migrate\n"));
    town.settle();
    REQUIRE(town.inside(100).empty());
    vms_configured(town.world, config());
    town.settle();
    CHECK(town.inside(100) == std::vector<std::string>{id});
}
