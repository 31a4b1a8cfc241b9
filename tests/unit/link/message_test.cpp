// SPDX-License-Identifier: MIT
#include "link/message.hpp"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace longcord;

namespace {

Device board(std::string busid = "1-1.2") {
    Device device;
    device.place = *Place::parse("workbench/" + busid);
    device.controller = "platform-fe9c0000.xhci";
    device.id = {0x1a86, 0x55d4};
    device.bcd_device = 0x0443;
    device.device_class = {2, 0, 0};
    device.interfaces = {{2, 2, 1}, {10, 0, 0}};
    device.speed = Speed::full;
    device.manufacturer = "WCH";
    device.product = "USB Single Serial";
    device.serial = "A1";
    device.devnum = 5;
    return device;
}

constexpr const char* board_json =
    R"({"bcd":"0443","busid":"1-1.2","class":[2,0,0],"configurations":1,)"
    R"("controller":"platform-fe9c0000.xhci","devnum":5,"interfaces":[[2,2,1],[10,0,0]],)"
    R"("manufacturer":"WCH","product":"USB Single Serial","product_id":"55d4","serial":"A1",)"
    R"("speed":2,"vendor":"1a86"})";

/// The board with one field replaced (or removed, by null).
std::string added_with(const char* field, nlohmann::json value) {
    auto device = nlohmann::json::parse(board_json);
    device[field] = std::move(value);
    return nlohmann::json({{"type", "added"}, {"device", device}}).dump();
}

std::string refusal(std::string_view line) {
    const auto message = parse_pi_message(line, "workbench");
    REQUIRE_MESSAGE(!message, line.substr(0, 200));
    CHECK(message.error().kind == ErrorKind::invalid);
    return message.error().message;
}

Device parsed(const std::string& line) {
    const auto message = parse_pi_message(line, "workbench");
    REQUIRE_MESSAGE(message.has_value(), message.error().message);
    REQUIRE(std::holds_alternative<Added>(*message));
    return std::get<Added>(*message).device;
}

template <std::size_t Size> void set(SecretBytes<Size>& bytes, std::uint8_t value) {
    std::fill_n(bytes.data(), bytes.size, value);
}

StreamSecret secret() {
    StreamSecret secret;
    set(secret.from_node.iv, 1);
    set(secret.from_node.key, 2);
    set(secret.from_pi.iv, 3);
    set(secret.from_pi.key, 4);
    set(secret.ticket, 5);
    return secret;
}

} // namespace

TEST_CASE("known answers: what a Pi says") {
    const std::vector<std::pair<PiMessage, std::string>> answers = {
        {Hello{1, "longcord-pi 0.1.0", 3240},
         R"({"software":"longcord-pi 0.1.0","type":"hello","usbip_port":3240,"version":1})"},
        {Devices{}, R"({"devices":[],"type":"devices"})"},
        {Devices{{board()}},
         std::string(R"({"devices":[)") + board_json + R"(],"type":"devices"})"},
        {Added{board()}, std::string(R"({"device":)") + board_json + R"(,"type":"added"})"},
        {Removed{"1-1.2"}, R"({"busid":"1-1.2","type":"removed"})"},
        {Pong{18446744073709551615u}, R"({"n":18446744073709551615,"type":"pong"})"},
        {Opened{17}, R"({"n":17,"type":"opened"})"},
        {OpenRefused{17, "it is gone"}, R"({"n":17,"type":"refused","why":"it is gone"})"},
        {Busy{17, "pve2", 101}, R"({"n":17,"node":"pve2","type":"busy","vmid":101})"},
        {Busy{17, "10.0.0.9", {}}, R"({"n":17,"node":"10.0.0.9","type":"busy","vmid":null})"},
        {Available{"1-1.2"}, R"({"busid":"1-1.2","type":"available"})"},
        {Leave{}, R"({"type":"leave"})"},
    };
    for (const auto& [message, line] : answers) {
        CHECK(format(message) == line);
        const auto back = parse_pi_message(line, "workbench");
        REQUIRE_MESSAGE(back.has_value(), line);
        CHECK(*back == message);
    }
}

TEST_CASE("known answers: what a node says") {
    const std::vector<std::pair<HostMessage, std::string>> answers = {
        {Welcome{1, "pve1", "longcord-host 0.1.0", "workbench", milliseconds(5000), {}},
         R"({"dead_after_ms":5000,"node":"pve1","nodes":[],"pi":"workbench",)"
         R"("software":"longcord-host 0.1.0","type":"welcome","version":1})"},
        {Welcome{
             1, "pve1", "", "", milliseconds(3000), {{"pve2", "10.0.0.2", 22, {"ssh-rsa AAAA"}}}},
         R"({"dead_after_ms":3000,"node":"pve1","nodes":[{"address":"10.0.0.2",)"
         R"("host_keys":["ssh-rsa AAAA"],"name":"pve2","port":22}],"pi":"",)"
         R"("software":"","type":"welcome","version":1})"},
        {Ping{7}, R"({"n":7,"type":"ping"})"},
        {Open{17, "1-1.2", 100, secret()},
         R"({"busid":"1-1.2","n":17,"seal":{"from_node":{"iv":"010101010101010101010101",)"
         R"("key":"0202020202020202020202020202020202020202020202020202020202020202"},)"
         R"("from_pi":{"iv":"030303030303030303030303",)"
         R"("key":"0404040404040404040404040404040404040404040404040404040404040404"}},)"
         R"("ticket":"0505050505050505050505050505050505050505050505050505050505050505",)"
         R"("type":"open","vmid":100})"},
        {OpenSerial{18, "4000", "10.0.0.5:53211", secret()},
         R"({"client":"10.0.0.5:53211","n":18,"seal":{"from_node":{"iv":"010101010101010101010101",)"
         R"("key":"0202020202020202020202020202020202020202020202020202020202020202"},)"
         R"("from_pi":{"iv":"030303030303030303030303",)"
         R"("key":"0404040404040404040404040404040404040404040404040404040404040404"}},)"
         R"("serial":"4000",)"
         R"("ticket":"0505050505050505050505050505050505050505050505050505050505050505",)"
         R"("type":"open"})"},
        {Close{"1-1.2"}, R"({"busid":"1-1.2","type":"close"})"},
        {State{"1-1.2", "pve1", 100, "plugged", "", "workshop"},
         R"({"busid":"1-1.2","node":"pve1","state":"plugged","type":"state","vm":"workshop",)"
         R"("vmid":100,"why":""})"},
        {State{"1-1.2", "pve1", {}, "unclaimed", "no rule matches"},
         R"({"busid":"1-1.2","node":"pve1","state":"unclaimed","type":"state","vm":"",)"
         R"("vmid":null,"why":"no rule matches"})"},
        {Done{true, "done"}, R"({"message":"done","ok":true,"type":"done"})"},
        {LinkError{"no"}, R"({"message":"no","type":"error"})"},
        {LinkError{"replaced", true}, R"({"final":true,"message":"replaced","type":"error"})"},
    };
    for (const auto& [message, line] : answers) {
        CHECK(format(message) == line);
        const auto back = parse_host_message(line);
        REQUIRE_MESSAGE(back.has_value(), line);
        CHECK(*back == message);
    }
}

TEST_CASE("a Pi cannot speak in another's name: its place is what its key says") {
    auto device = nlohmann::json::parse(board_json);
    device["pi"] = "other";
    const auto message = parse_pi_message(
        nlohmann::json({{"type", "added"}, {"device", device}, {"pi", "other"}}).dump(), "bench");
    REQUIRE(message.has_value());
    CHECK(std::get<Added>(*message).device.place.to_string() == "bench/1-1.2");
}

TEST_CASE("unknown keys are ignored, unknown types are refused by name") {
    CHECK(parse_pi_message(R"({"type":"pong","n":1,"later":{"a":[]}})", "workbench").has_value());
    CHECK(
        refusal(R"({"type":"reboot"})") ==
        "Pi workbench: type: \"reboot\" is not known in version 1 of the link's language");
    CHECK(
        refusal(R"({"type":"welcome","version":1,"node":"x"})").find("type: \"welcome\"") !=
        std::string::npos);
}

TEST_CASE("a refusal names the Pi and the field") {
    CHECK(refusal(R"({"n":1})") == "Pi workbench: type: is missing");
    CHECK(refusal(R"({"type":5})") == "Pi workbench: type: is no string");
    CHECK(refusal("[]") == "Pi workbench: line: is no JSON object");
    CHECK(refusal("hello") == "Pi workbench: line: is no JSON: \"hello\"");
    CHECK(refusal("\x1b[2J\x07") == "Pi workbench: line: is no JSON: \"?[2J?\"");
    CHECK(refusal("{\"type\":\"\xff\"}") == "Pi workbench: line: is not valid UTF-8");
    CHECK(refusal(R"({"type":"hello"})") == "Pi workbench: version: is missing");
    CHECK(refusal(R"({"type":"pong","n":-1})").starts_with("Pi workbench: n: is no whole number"));
    CHECK(refusal(R"({"type":"added"})") == "Pi workbench: device: is missing");
    CHECK(refusal(R"({"type":"added","device":7})") == "Pi workbench: device: is no JSON object");
    CHECK(refusal(R"({"type":"devices","devices":{}})") == "Pi workbench: devices: is no list");
    CHECK(
        refusal(R"({"type":"devices","devices":[1]})") ==
        "Pi workbench: devices[0]: is no JSON object");
    CHECK(
        refusal(
            std::string(R"({"type":"devices","devices":[)") + board_json + R"(,{"busid":"x"}]})") ==
        "Pi workbench: devices[1].busid: \"x\" is no busid such as 1-1.2");
}

TEST_CASE("a busid is spelt as the kernel spells it, and nothing else") {
    for (const char* bad :
         {"../../etc", "1-1/2", "1-1..2", "workbench/1-1.2", "usb1", "1-1.2:1.0", "1-0", "0-1", "",
          "01-1", "1-01", "1-1.", "1-", "-1", "1-1\n", "1-1 ", "65536-1", "4294967297-1",
          "1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1"}) {
        CAPTURE(bad);
        CHECK(refusal(nlohmann::json({{"type", "removed"}, {"busid", bad}}).dump())
                  .starts_with("Pi workbench: busid: "));
        CHECK(refusal(added_with("busid", bad)).starts_with("Pi workbench: device.busid: "));
    }
    CHECK(parsed(added_with("busid", "65535-1")).place.bus == 65535);
    CHECK(parsed(added_with("busid", "12-3.10")).place.busid() == "12-3.10");
    CHECK(
        parsed(added_with("busid", "1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1")).place.busid().size() == 31);
    CHECK(refusal(nlohmann::json({{"type", "removed"}, {"busid", std::string("1-1\0", 4)}}).dump())
              .starts_with("Pi workbench: busid: "));
}

TEST_CASE("wrong types and numbers out of range") {
    const std::vector<std::pair<const char*, nlohmann::json>> bad = {
        {"busid", 1},
        {"busid", nullptr},
        {"vendor", 0x1a86},
        {"vendor", "1a8"},
        {"vendor", "1a86f"},
        {"vendor", "0x1a"},
        {"vendor", "+1a8"},
        {"product_id", nullptr},
        {"bcd", true},
        {"class", {1, 2}},
        {"class", {1, 2, 3, 4}},
        {"class", {1, 2, 256}},
        {"class", {1, 2, -1}},
        {"class", {1, 2, 3.0}},
        {"class", "020000"},
        {"speed", 7},
        {"speed", -1},
        {"speed", 2.0},
        {"speed", "2"},
        {"speed", true},
        {"speed", nullptr},
        {"devnum", 128},
        {"devnum", 1e300},
        {"configurations", 0},
        {"configurations", 256},
        {"manufacturer", 5},
        {"product", {"a"}},
        {"serial", false},
        {"controller", 5},
        {"controller", "a/b"},
        {"controller", "../x"},
        {"controller", "a b"},
        {"controller", std::string(256, 'a')},
        {"interfaces", 5},
        {"interfaces", {{1, 2}}},
        {"interfaces", {1, 2, 3}},
        {"interfaces", nullptr},
        {"interfaces", std::vector<std::vector<int>>(33, {1, 2, 3})},
    };
    for (const auto& [field, value] : bad) {
        CAPTURE(field);
        CAPTURE(value.dump());
        CHECK(refusal(added_with(field, value))
                  .starts_with(std::string("Pi workbench: device.") + field));
    }
    for (const char* hello :
         {R"("version":65536)", R"("version":"1")", R"("version":1,"usbip_port":0)",
          R"("version":1,"usbip_port":65536)", R"("version":1,"software":5)"})
        refusal(std::string(R"({"type":"hello",)") + hello + "}");
}

TEST_CASE("what may be left out") {
    for (const char* field : {"manufacturer", "product", "serial", "controller", "configurations"})
        CHECK(parse_pi_message(added_with(field, nullptr), "workbench").has_value());
    CHECK(parsed(added_with("configurations", nullptr)).configurations == 1);
    const auto hello = parse_pi_message(R"({"type":"hello","version":1})", "workbench");
    REQUIRE(hello.has_value());
    CHECK(std::get<Hello>(*hello) == Hello{1, "", 3240});
}

TEST_CASE("device texts are cut to 255 bytes and made printable") {
    CHECK(parsed(added_with("serial", std::string(255, 'a'))).serial == std::string(255, 'a'));
    CHECK(parsed(added_with("serial", std::string(256, 'a'))).serial == std::string(255, 'a'));
    CHECK(parsed(added_with("product", "a\nb\u009b\x7f\u00fc")).product == "a?b??\u00fc");
    CHECK(parsed(added_with("product", std::string("a\0b", 3))).product == "a?b");
}

TEST_CASE("at most 128 devices, and none twice") {
    Devices message;
    for (unsigned i = 1; i <= max_link_devices; ++i)
        message.devices.push_back(board("1-" + std::to_string(i)));
    auto most = parse_pi_message(format(message), "workbench");
    REQUIRE_MESSAGE(most.has_value(), most.error().message);
    CHECK(std::get<Devices>(*most) == message);
    message.devices.push_back(board("2-1"));
    CHECK(
        refusal(format(message)) ==
        "Pi workbench: devices: has 129 elements, at most 128 are allowed");
    CHECK(
        refusal(format(Devices{{board(), board()}})) ==
        "Pi workbench: devices[1].busid: 1-1.2 is in the list twice");
}

TEST_CASE("a list that would be too long goes without the makers' names, then without products") {
    Devices message;
    for (unsigned i = 1; i <= 100; ++i) {
        message.devices.push_back(board("1-" + std::to_string(i)));
        message.devices.back().manufacturer = std::string(255, 'm');
        message.devices.back().product = std::string(200, 'p');
    }
    const std::string line = format(message);
    CHECK(line.size() <= max_link_line);
    auto back = parse_pi_message(line, "workbench");
    REQUIRE(back.has_value());
    const auto& device = std::get<Devices>(*back).devices.back();
    CHECK(device.manufacturer.empty());
    CHECK(device.product == std::string(200, 'p'));
    CHECK(device.serial == "A1");
    for (auto& d : message.devices)
        d.product = d.serial = std::string(255, 'p');
    back = parse_pi_message(format(message), "workbench");
    REQUIRE(back.has_value());
    CHECK(std::get<Devices>(*back).devices.back().product.empty());
    CHECK(std::get<Devices>(*back).devices.back().serial == std::string(255, 'p'));
}

TEST_CASE("a line has at most 64 KiB") {
    std::string line = R"({"type":"pong","n":1,"x":")";
    line += std::string(max_link_line - line.size() - 2, 'x') + "\"}";
    REQUIRE(line.size() == max_link_line);
    CHECK(parse_pi_message(line, "workbench").has_value());
    CHECK(refusal(' ' + line) == "Pi workbench: line: is longer than 65536 bytes");
}

TEST_CASE("nesting as deep as a line allows is refused, not a crash") {
    refusal(std::string(max_link_line, '['));
    refusal(std::string(max_link_line / 2, '[') + std::string(max_link_line / 2, ']'));
    std::string objects;
    while (objects.size() + 5 < max_link_line)
        objects += "{\"a\":";
    refusal(objects);
}

TEST_CASE("every truncation of a message is refused") {
    const std::string line = format(Devices{{board()}});
    for (std::size_t n = 1; n < line.size(); ++n)
        refusal(line.substr(0, n));
}

TEST_CASE("every one-byte change of a message is parsed or refused, never more") {
    const std::string line = format(Devices{{board()}});
    for (std::size_t i = 0; i < line.size(); ++i)
        for (const char c : {'\0', '"', '\\', '{', '}', '[', ']', ',', '-', '9', '\x80', '\xff'}) {
            std::string changed = line;
            changed[i] = c;
            const auto message = parse_pi_message(changed, "workbench");
            if (!message)
                CHECK(message.error().message.starts_with("Pi workbench: "));
            else if (const auto* devices = std::get_if<Devices>(&*message))
                for (const auto& device : devices->devices)
                    CHECK(device.place.pi == "workbench");
        }
}

TEST_CASE("a node's messages are checked too") {
    for (const char* bad :
         {R"({"type":"welcome","version":1})", R"({"type":"ping"})", R"({"type":"error"})",
          R"({"type":"state","busid":"../x","node":"a","state":"plugged"})",
          R"({"type":"state","busid":"1-1","node":"a","state":"plugged","vmid":0})",
          R"({"type":"state","busid":"1-1","node":"a","state":"plugged","vmid":"100"})",
          R"({"type":"error","message":"x","final":1})", R"({"type":"open"})", "", "null"}) {
        CAPTURE(bad);
        const auto message = parse_host_message(bad);
        REQUIRE(!message);
        CHECK(message.error().message.starts_with("the node: "));
    }
}

TEST_CASE("a welcome without what later versions added is understood") {
    const auto message = parse_host_message(R"({"type":"welcome","version":1,"node":"pve1"})");
    REQUIRE(message.has_value());
    const auto& welcome = std::get<Welcome>(*message);
    CHECK(welcome.dead_after == milliseconds(3000));
    CHECK(welcome.nodes.empty());
}

TEST_CASE("a Pi is asked to serve a machine of host.yaml, whose number is above every VM's") {
    const std::vector<HostMessage> asked = {
        Open{1, "1-1", 1'288'485'611, secret()},
        State{"1-1", "pve1", 4'294'967'295, "plugged", "", "windows"}};
    for (const auto& message : asked) {
        const auto back = parse_host_message(format(message));
        REQUIRE(back.has_value());
        CHECK(*back == message);
    }
}

TEST_CASE("an open with a bad key is refused, and no byte of the key is in the refusal") {
    const std::string good = format(HostMessage(Open{1, "1-1", 100, secret()}));
    for (const char* key : {"ticket", "from_node", "from_pi"})
        for (const char* digits : {"", "zz"}) {
            auto open = nlohmann::json::parse(good);
            auto& field = std::string(key) == "ticket" ? open["ticket"] : open["seal"][key]["key"];
            std::string changed = field.get<std::string>();
            changed.replace(changed.size() - 2, 2, digits);
            field = changed;
            const auto message = parse_host_message(open.dump());
            REQUIRE(!message);
            CHECK(message.error().message.find(changed.substr(0, 8)) == std::string::npos);
            CHECK(message.error().message.find("is not 32 bytes") != std::string::npos);
        }
}

TEST_CASE(
    "an open of a serial port: names of any length up to 300 and 64 bytes, and never empty keys") {
    const auto parse = [](std::size_t port, std::size_t client) {
        const OpenSerial open{1, std::string(port, 'p'), std::string(client, 'c'), secret()};
        return parse_host_message(format(HostMessage(open)));
    };
    CHECK(parse(max_serial_port, max_serial_client).has_value());
    CHECK_FALSE(parse(max_serial_port + 1, 1).has_value());
    CHECK_FALSE(parse(1, max_serial_client + 1).has_value());
    CHECK_FALSE(parse(0, 1).has_value());
    CHECK_FALSE(parse(1, 0).has_value());
    auto open = nlohmann::json::parse(format(HostMessage(OpenSerial{1, "4000", "a", secret()})));
    for (const char* key : {"n", "client", "ticket", "seal"}) {
        auto without = open;
        without.erase(key);
        CHECK_MESSAGE(!parse_host_message(without.dump()), key);
    }
    // What a client's name shows on the Pi is text, whatever the node sends.
    open["client"] = "a\n\x1b[31mb";
    const auto message = parse_host_message(open.dump());
    REQUIRE(message.has_value());
    CHECK(std::get<OpenSerial>(*message).client == "a??[31mb");
}

TEST_CASE("a cluster has at most 32 nodes, a node at most 8 host keys") {
    Welcome welcome;
    welcome.node = "pve1";
    welcome.nodes.assign(max_link_nodes, {"n", "10.0.0.1", 22, {}});
    welcome.nodes[0].host_keys.assign(max_host_keys, "ssh-ed25519 AAAA");
    CHECK(parse_host_message(format(HostMessage(welcome))).has_value());
    welcome.nodes[0].host_keys.emplace_back("ssh-rsa AAAA");
    CHECK(!parse_host_message(format(HostMessage(welcome))));
    welcome.nodes[0].host_keys.clear();
    welcome.nodes.push_back({"n", "10.0.0.1", 22, {}});
    CHECK(!parse_host_message(format(HostMessage(welcome))));
}

TEST_CASE("bytes that are no UTF-8 in our own values are formatted without an exception") {
    CHECK(parse_host_message(format(HostMessage(LinkError{"\xff\xfe"}))).has_value());
    CHECK(format(HostMessage(Welcome{1, "\xff", "", "\xff", {}, {}})).size() > 0);
}
