// SPDX-License-Identifier: MIT
#include "proxmox/vm_config.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static std::vector<SavedRam> saved(const std::string& text) {
    return parse_vm_config(text).saved_ram;
}

TEST_CASE("a snapshot with RAM, while it is made and after") {
    const std::string section = "snaptime: 1732000000\nvmstate: local-lvm:vm-100-state-before\n";
    CHECK(
        saved("lock: snapshot\nname: a\n\n[before]\nsnapstate: prepare\n" + section) ==
        std::vector<SavedRam>{{"before", "1732000000", false}});
    CHECK(
        saved("name: a\n\n[before]\nname: a\n" + section) ==
        std::vector<SavedRam>{{"before", "1732000000", true}});
}

TEST_CASE("a snapshot that is deleted holds its RAM until it is gone") {
    CHECK(
        saved("lock: snapshot-delete\n[old]\nsnapstate: delete\nsnaptime: 7\nvmstate: l:v\n") ==
        std::vector<SavedRam>{{"old", "7", true}});
}

TEST_CASE("hibernation") {
    CHECK(
        saved("lock: suspending\nvmstate: local:vm-100-state-suspend\n") ==
        std::vector<SavedRam>{{"", "local:vm-100-state-suspend", false}});
    CHECK(
        saved("lock: suspended\nvmstate: local:vm-100-state-suspend\n[one]\nsnaptime: 3\n") ==
        std::vector<SavedRam>{{"", "local:vm-100-state-suspend", true}});
}

TEST_CASE("what holds no RAM") {
    CHECK(saved("").empty());
    CHECK(saved("#vmstate: a note\n[disk-only]\nsnaptime: 1732000000\n").empty());
    CHECK(saved("[PENDING]\nvmstate: x\n[special:cloudinit]\nvmstate: x\n").empty());
}

TEST_CASE("a name and a count that nobody expects") {
    CHECK(saved("[a\x01]\nvmstate: x\nsnaptime: 1\n")[0].snapshot == "a?");
    std::string many;
    for (std::size_t i = 0; i < SavedRam::most + 1; ++i)
        many += "[s" + std::to_string(i) + "]\nvmstate: x\nsnaptime: 1\n";
    CHECK(saved(many).size() == SavedRam::most);
}
