// SPDX-License-Identifier: MIT
// Answers as QEMU 7.2.22 gave them.
#include "qmp/view_query.hpp"

#include <map>

#include <doctest/doctest.h>

using namespace longcord;
using nlohmann::json;

namespace {

const std::map<std::string, std::string> lists = {
    {"/machine/peripheral", R"([{"name": "type", "type": "string"},
        {"name": "usbipd", "type": "child<qemu-xhci>"}, {"name": "kbd9", "type": "child<usb-kbd>"},
        {"name": "pci.1", "type": "child<pci-bridge>"}, {"name": "nec", "type": "child<nec-usb-xhci>"},
        {"name": "uhci", "type": "child<piix3-usb-uhci>"}, {"name": "ehci", "type": "child<usb-ehci>"},
        {"name": "m81", "type": "child<usb-mouse>"}, {"name": "usb3", "type": "child<usb-host>"},
        {"name": "usbhost3-4.1", "type": "child<usb-host>"},
        {"name": "left", "type": "child<usb-host>"}])"},
    {"/machine/peripheral-anon", R"([{"name": "type", "type": "string"},
        {"name": "device[0]", "type": "child<qemu-xhci>"},
        {"name": "device[1]", "type": "child<usb-tablet>"}])"},
};

const std::map<std::string, std::string> properties = {
    {"peripheral/usbipd p2", "15"},
    {"peripheral/usbipd p3", "14"},
    {"peripheral/nec p2", "4"},
    {"peripheral/nec p3", "4"},
    {"peripheral/kbd9 port", "\"9\""},
    {"peripheral/kbd9 parent_bus", "\"/machine/peripheral/usbipd/usbipd.0\""},
    {"peripheral/m81 port", "\"8.1\""},
    {"peripheral/m81 parent_bus", "\"/machine/peripheral/usbipd/usbipd.0\""},
    {"peripheral-anon/device[1] port", "\"1\""},
    {"peripheral-anon/device[1] parent_bus", "\"/machine/peripheral/uhci/uhci.0\""},
    {"peripheral/usb3 port", "\"4\""},
    {"peripheral/usb3 parent_bus", "\"/machine/peripheral/nec/nec.0\""},
    {"peripheral/usb3 attached", "false"},
    {"peripheral/usb3 hostdevice", "\"\""},
    {"peripheral/usb3 hostport", "\"4.1\""},
    {"peripheral/usbhost3-4.1 port", "\"3\""},
    {"peripheral/usbhost3-4.1 parent_bus", "\"/machine/peripheral/usbipd/usbipd.0\""},
    {"peripheral/usbhost3-4.1 attached", "true"},
    {"peripheral/usbhost3-4.1 hostdevice", "\"/dev/bus/usb/003/007\""},
};

QmpAnswer answer(const QmpCommand& command) {
    const auto found = [](const auto& table, const std::string& key) -> QmpAnswer {
        const auto entry = table.find(key);
        if (entry == table.end())
            return {{}, QmpError{"DeviceNotFound", "Device '" + key + "' not found"}};
        return {json::parse(entry->second), {}};
    };
    if (command.execute == "query-status")
        return {json::parse(R"({"status": "running", "singlestep": false, "running": true})"), {}};
    const auto path = command.arguments["path"].get<std::string>();
    if (command.execute == "qom-list")
        return found(lists, path);
    constexpr std::size_t machine = sizeof "/machine/" - 1;
    return found(
        properties, path.substr(machine) + ' ' + command.arguments["property"].get<std::string>());
}

std::vector<QmpAnswer> answers(const std::vector<QmpCommand>& round) {
    std::vector<QmpAnswer> all;
    for (const auto& command : round)
        all.push_back(answer(command));
    return all;
}

} // namespace

TEST_CASE("a view: controllers with their ports, and every device that takes one") {
    ViewQuery query;
    unsigned rounds = 0;
    for (auto round = query.next(); !round.empty(); round = query.next()) {
        ++rounds;
        REQUIRE(query.take(answers(round)).has_value());
    }
    CHECK(rounds == 3);
    const auto view = query.view();
    CHECK(view.state == RunState::running);
    CHECK(
        view.controllers ==
        std::vector<GuestController>{
            {"usbipd", "qemu-xhci", "usbipd.0", 14}, {"nec", "nec-usb-xhci", "nec.0", 4}});
    // "left" was taken out between the rounds; it is nowhere.
    CHECK(
        view.devices ==
        std::vector<GuestDevice>{
            {"kbd9", "usb-kbd", "usbipd.0", "9", false, "", ""},
            {"m81", "usb-mouse", "usbipd.0", "8.1", false, "", ""},
            {"usb3", "usb-host", "nec.0", "4", false, "", "4.1"},
            {"usbhost3-4.1", "usb-host", "usbipd.0", "3", true, "/dev/bus/usb/003/007", ""},
            {"", "usb-tablet", "uhci.0", "1", false, "", ""}});
}

TEST_CASE("a VM without any -device has an empty view, not an error") {
    ViewQuery query;
    const QmpAnswer nothing{{}, QmpError{"DeviceNotFound", "Device '...' not found"}};
    REQUIRE(query.take({answer({"query-status", {}}), nothing, nothing}).has_value());
    CHECK(query.next().empty());
    CHECK(query.view() == VmView{RunState::running, {}, {}});
}

TEST_CASE("a hostile list makes no endless questions, and odd types no harm") {
    json children = json::array(
        {7,
         nullptr,
         json::object(),
         {{"name", 1}, {"type", "child<usb-x>"}},
         {{"name", "a"}, {"type", {}}},
         {{"name", "b"}, {"type", "child<"}}});
    for (int i = 0; i < 5000; ++i) {
        children.push_back({{"name", "d" + std::to_string(i)}, {"type", "child<usb-host>"}});
        children.push_back({{"name", "x" + std::to_string(i)}, {"type", "child<qemu-xhci>"}});
    }
    ViewQuery query;
    REQUIRE(query.take({answer({"query-status", {}}), {children, {}}, {children, {}}}).has_value());
    CHECK(query.next().size() == ViewQuery::max_objects * 6);
    std::vector<QmpAnswer> odd(query.next().size(), QmpAnswer{json::parse("[{}]"), {}});
    REQUIRE(query.take(odd).has_value());
    CHECK(query.view() == VmView{RunState::running, {}, {}});
}

TEST_CASE("an answer that is none is an error") {
    const QmpAnswer empty{json::array(), {}};
    for (const char* status : {"7", "[]", "{}", "{\"status\":1}", "null"}) {
        ViewQuery query;
        CHECK(query.take({QmpAnswer{json::parse(status), {}}, empty, empty}).has_error());
    }
    ViewQuery query;
    CHECK(query.take({empty}).has_error());
    CHECK(query.take({answer({"query-status", {}}), {7, {}}, empty}).has_error());
}

TEST_CASE("the run state is read by name, and what is not known is not running") {
    CHECK(run_state_from("running") == RunState::running);
    CHECK(run_state_from("prelaunch") == RunState::prelaunch);
    CHECK(run_state_from("inmigrate") == RunState::inmigrate);
    CHECK(run_state_from("Running") == RunState::other);
    CHECK(run_state_from("") == RunState::other);
    CHECK(run_state_from("save-vm") == RunState::other);
}
