// SPDX-License-Identifier: MIT
// tests/process/test_cli.py sees the whole; here are the edges.
#include "cli/views.hpp"

#include "cli/json_fields.hpp"
#include "cli/place_text.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace longcord;
using nlohmann::json;

TEST_CASE("columns are as wide as their widest cell, in characters and not in bytes") {
    Table table({"A", "B"});
    table.add({"\u00fc", "x"});
    table.add({"yyy", "z"});
    CHECK(table.render({}, 0) == "A    B\n\u00fc    x\nyyy  z\n");
}

TEST_CASE("a column without a cell is left out, also the last") {
    Table table({"A", "B", "C"});
    table.add({"1", "", ""});
    CHECK(table.render({}, 2) == "  A\n  1\n");
}

TEST_CASE("colours do not disturb the columns") {
    Table table({"A", "B"});
    table.add({Cell("x", Tone::good), "1"});
    CHECK(
        table.render({.colour = true}, 0) == "\033[2mA\033[0m  \033[2mB\033[0m\n"
                                             "\033[32mx\033[0m  1\n");
}

TEST_CASE("the last column is wrapped below itself, where there is room for that") {
    Table table({"A", "B"});
    table.add({"x", "one two three four five six"});
    CHECK(table.render({.width = 24}, 0) == "A  B\nx  one two three four\n   five six\n");
    CHECK(table.render({.width = 20}, 0) == "A  B\nx  one two three four five six\n");
}

TEST_CASE("wrap keeps long words whole") {
    CHECK(wrap("", 5) == std::vector<std::string>{""});
    CHECK(wrap("a bc", 4) == std::vector<std::string>{"a bc"});
    CHECK(wrap("a bcdefgh i", 4) == std::vector<std::string>{"a", "bcdefgh", "i"});
}

TEST_CASE("a class is shown by the name that rules use") {
    CHECK(class_of({{"class", 2}}) == "cdc");
    CHECK(class_of({{"class", 255}}) == "vendor");
    CHECK(class_of({{"class", 0}}).empty());
    CHECK(class_of({{"class", 0xdc}}) == "dc");
    CHECK(class_of({{"class", 256}}) == "256");
    CHECK(class_of({{"class", "cdc"}}) == "cdc");
    CHECK(class_of({{"class", {2, 0, 0}}}).empty());
}

TEST_CASE("durations") {
    CHECK(duration_text(0) == "0 s");
    CHECK(duration_text(59.9) == "59 s");
    CHECK(duration_text(60) == "1 min");
    CHECK(duration_text(3'600) == "1 h 0 min");
    CHECK(duration_text(86'400 * 3 + 7'200) == "3 d 2 h");
    CHECK(duration_text(-1).empty());
    CHECK(duration_text(1e300).empty());
}

TEST_CASE("fields of wrong types are empty") {
    const json object = {{"s", "x"}, {"n", 7}, {"b", true}, {"l", {1}}, {"d", 1.5}};
    CHECK(text_field(object, "s") == "x");
    CHECK(text_field(object, "n") == "7");
    CHECK(text_field(object, "b").empty());
    CHECK(text_field(object, "none").empty());
    CHECK(text_field(json(1), "s").empty());
    CHECK(number_field(object, "d") == 1.5);
    CHECK(!number_field(object, "s"));
    CHECK(flag_field(object, "b"));
    CHECK(!flag_field(object, "n"));
    CHECK(list_field(object, "l").size() == 1);
    CHECK(list_field(object, "s").empty());
}

TEST_CASE("why a plugged device is worth a look") {
    json device = {
        {"state", "plugged"}, {"guest_port", 3}, {"in_use_by_guest", false}, {"why", "w"}};
    CHECK(why_of(device) == "guest port 3, not in use by the guest; w");
    device.erase("in_use_by_guest");
    device["why"] = nullptr;
    CHECK(why_of(device) == "guest port 3");
    device["state"] = "waiting";
    CHECK(why_of(device).empty());
}

TEST_CASE("problems are sentences or objects") {
    CHECK(problem_text("VM 100: x") == "VM 100: x");
    CHECK(problem_text({{"file", "f"}, {"line", 3}, {"message", "m"}}) == "f:3: m");
    CHECK(problem_text({{"message", "m"}}) == "m");
}

TEST_CASE("a VM's part of the status") {
    const json status = {
        {"role", "host"},
        {"vms", {{{"vmid", 10}}, {{"vmid", 100}}}},
        {"devices", {{{"vmid", 100}, {"place", "3-4"}}, {{"vmid", nullptr}}}},
        {"problems",
         {"VM 100: a", "VM 1000: b", "x/100.usb.conf:1: c", "x/1100.usb.conf:1: d",
          "VM 1000 and VM 100: e", "no vhci_hcd"}}};
    const json part = status_of_vm(status, 100);
    CHECK(part["vms"] == json{{{"vmid", 100}}});
    CHECK(part["devices"].size() == 1);
    CHECK(
        part["problems"] ==
        json{"VM 100: a", "x/100.usb.conf:1: c", "VM 1000 and VM 100: e", "no vhci_hcd"});
    CHECK(part["role"] == "host");
}

TEST_CASE("what counts as a problem") {
    CHECK(!has_problems(json::object()));
    CHECK(!has_problems({{"pis", {{{"problem", ""}}}}, {"problems", json::array()}}));
    CHECK(has_problems({{"pis", {{{"problem", "x"}}}}}));
    CHECK(has_problems({{"vms", {{{"problem", "x"}}}}}));
    CHECK(has_problems({{"links", {{{"problem", "x"}}}}}));
    CHECK(has_problems({{"problems", {"x"}}}));
}
