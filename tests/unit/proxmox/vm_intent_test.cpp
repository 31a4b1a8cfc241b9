// SPDX-License-Identifier: MIT
#include "proxmox/vm_intent.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("what is remembered of a VM is read back as it was written") {
    VmIntent intent;
    CHECK(parse_intent(format_intent(intent)).value() == intent);
    intent.owner = "0a1b2c3d-0000-4000-8000-000000000001";
    intent.pins["pci-0000:00:14.0/4.1"] = {"xhci.0", 15};
    intent.pins["workbench/platform-fe9c0000.xhci/1.2"] = {"longcord.0", 1};
    intent.attached = {"pci-0000:00:14.0/4.2"};
    intent.detached = {"workbench/platform-fe9c0000.xhci/1.3"};
    intent.by_hand_for = intent.owner;
    intent.unloadable = {
        {"before", "1732000000", {{{"xhci.0", 15}, "workbench/1-1.2"}, {{"xhci.0", 14}, "3-4"}}},
        {"", "local:vm-100-state-suspend", {}}};
    CHECK(parse_intent(format_intent(intent)).value() == intent);
}

TEST_CASE("keys of a later version are ignored, a missing one is empty") {
    CHECK(parse_intent(R"({"version":7,"colour":"red"})").value() == VmIntent{});
}

TEST_CASE("what is no intent is refused, whatever it is") {
    std::string many = "{\"attached\":[\"0\"";
    for (std::size_t i = 0; i < VmIntent::most_by_hand - 1; ++i)
        many += ",\"" + std::to_string(i + 1) + "\"";
    CHECK(parse_intent(many + "]}").has_value());
    for (const std::string& text :
         {std::string(), std::string("[]"), std::string("{"), std::string("null"),
          std::string(R"({"owner":1})"), std::string(R"({"by_hand_for":[]})"),
          std::string(R"({"pins":[]})"), std::string(R"({"pins":{"a":1}})"),
          std::string(R"({"pins":{"a":{"bus":"b"}}})"),
          std::string(R"({"pins":{"a":{"bus":"b","port":-1}}})"),
          std::string(R"({"pins":{"a":{"bus":"b","port":256}}})"),
          std::string(R"({"attached":{}})"), std::string(R"({"detached":[1]})"),
          many + ",\"one more\"]}", std::string(R"({"unloadable":{}})"),
          std::string(R"({"unloadable":["before"]})"),
          std::string(R"({"unloadable":[{"snapshot":"a","plugged":[]}]})"),
          std::string(R"({"unloadable":[{"snapshot":"a","stamp":"1","plugged":[{"port":1}]}]})"),
          std::string(R"({"unloadable":[{"snapshot":"a","stamp":"1","plugged":["3-4"]}]})")})
        CHECK(parse_intent(text).error().kind == ErrorKind::invalid);
}
