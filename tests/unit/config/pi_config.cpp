// SPDX-License-Identifier: MIT
#include "config/pi_config.hpp"

#include "config/nearest.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static PiConfig good(std::string_view text) {
    const auto config = parse_pi_config(text, "pi.yaml");
    REQUIRE_MESSAGE(config.has_value(), (config ? "" : config.error().message));
    return *config;
}

static std::string bad(std::string_view text) {
    const auto config = parse_pi_config(text, "pi.yaml");
    REQUIRE(!config.has_value());
    return config.error().message;
}

TEST_CASE("nodes are written in four ways") {
    const auto config = good("nodes:\n  - pve1\n  - pve1:2222\n  - '[fd00::5]:22'\n"
                             "  - { host: 10.0.0.1, port: 23 }\n");
    CHECK(
        config.nodes ==
        std::vector<Address>{{"pve1", 22}, {"pve1", 2222}, {"fd00::5", 22}, {"10.0.0.1", 23}});
}

TEST_CASE("nodes: mistakes") {
    CHECK(bad("nodes: pve1") == "pi.yaml:1: 'nodes' must be a list: [ one, two ]");
    CHECK(bad("nodes:\n - { port: 22 }") == "pi.yaml:2: each entry of 'nodes' needs a 'host'");
    CHECK(bad("nodes: ['pve1:0']").find("from 1 to 65535") != std::string::npos);
    CHECK(bad("nodes: [pve1, 'pve1:22']") == "pi.yaml: node pve1:22 stands here twice");
    CHECK(bad("nodes: ['-oProxyCommand=x']").find("no host name") != std::string::npos);
}

TEST_CASE("what is exported") {
    const auto config = good("export:\n  drivers: []\n  ids: [ '303a:1001', 0403:6001 ]\n"
                             "  places: [ 1-1.2 ]\n  never: { ids: [10c4:ea60], places: [1-1.4] }");
    CHECK(config.exports.drivers.empty());
    CHECK(config.exports.ids == std::vector<UsbId>{{0x303a, 0x1001}, {0x0403, 0x6001}});
    REQUIRE(config.exports.places.size() == 1);
    CHECK(config.exports.places[0].to_string() == "1-1.2");
    CHECK(config.exports.never.ids == std::vector<UsbId>{{0x10c4, 0xea60}});
    CHECK(config.exports.never.places.size() == 1);
    CHECK(good("export: { ids: [1a86:55d4] }").exports.drivers.size() == 4);
}

TEST_CASE("what is exported: mistakes name the line") {
    CHECK(bad("export:\n  ids:\n    - 1a86\n").starts_with("pi.yaml:3: "));
    CHECK(bad("export:\n  places:\n    - 3-\n").starts_with("pi.yaml:3: "));
    CHECK(
        bad("export:\n  places: [ bench/1-1 ]\n") ==
        "pi.yaml:2: 'bench/1-1': a place of this machine has no Pi's name");
    CHECK(bad("export: { driver: [] }").find("did you mean 'drivers'?") != std::string::npos);
    CHECK(bad("identity: id_ed25519").find("absolute") != std::string::npos);
}

TEST_CASE("addresses") {
    CHECK(Address::parse("fe80::1%eth0", 22)->to_string() == "[fe80::1%eth0]:22");
    CHECK(Address::parse("node:7", 22)->to_string() == "node:7");
    for (const char* text : {"", "[::1", "[::1]x", "a b", "[]:1", ":1", "a:", "a:65536", "a:x"})
        CHECK_MESSAGE(!Address::parse(text, 22).has_value(), text);
}

TEST_CASE("a suggestion is made for a slip of the hand only") {
    const std::vector<std::string> known{"socket", "ports", "hubs"};
    CHECK(nearest("sockets", known) == "socket");
    CHECK(nearest("prots", known) == "ports");
    CHECK(nearest("virtual", known) == std::nullopt);
    CHECK(nearest("x", known) == std::nullopt);
    CHECK(nearest(std::string(100'000, 's'), known) == std::nullopt);
}

TEST_CASE("serial ports") {
    const auto config =
        good("serial:\n  listen: [ 10.0.0.1, 'fd00::1' ]\n  allow: [ 10.0.0.0/8, local-net ]\n"
             "  ports: { 1-1.2: 4007, pci-0000:00:14.0/4.1: 4100 }\n"
             "  modes: { 1-1.2: esp, 1-1.3: auto }\n  hold: 30s\n  logs: /var/log/longcord\n"
             "  observers: true\n")
            .serial;
    CHECK(config.listen == std::vector<std::string>{"10.0.0.1", "fd00::1"});
    CHECK(config.allow.local_net);
    CHECK(config.allow.allows("10.9.9.9", {}));
    CHECK(config.ports.at("1-1.2") == 4007);
    CHECK(config.ports.at("pci-0000:00:14.0/4.1") == 4100);
    CHECK(config.modes.at("1-1.2") == ModeChoice(PortMode::esp));
    CHECK(config.modes.at("1-1.3") == ModeChoice());
    CHECK(config.hold == seconds(30));
    CHECK(config.observers);
    CHECK(good("").serial.listen == std::vector<std::string>{"::"});
    CHECK_FALSE(good("").serial.allow.everybody);
    CHECK(good("").serial.hold == seconds(10));
    CHECK_FALSE(good("").serial.observers);
}

TEST_CASE("serial ports: mistakes name the line") {
    CHECK(bad("serial:\n  allow:\n    - 10.0.0.0/99\n").starts_with("pi.yaml:3: "));
    CHECK(bad("serial:\n  listen: [ 10.0.0.0/8 ]\n").find("is no address") != std::string::npos);
    CHECK(bad("serial:\n  ports: { bench/1-1: 4000 }\n").find("is no place") != std::string::npos);
    CHECK(bad("serial:\n  ports: { 1-1: 0 }\n").find("from 1 to 65535") != std::string::npos);
    CHECK(bad("serial:\n  ports: { 1-1: 65536 }\n").starts_with("pi.yaml:2: "));
    CHECK(
        bad("serial:\n  ports:\n    1-1: 4000\n    1-2: 4000\n") ==
        "pi.yaml:4: port 4000 is 1-1's already");
    CHECK(bad("serial:\n  modes: { 1-1: fast }\n").find("'fast' is no mode") != std::string::npos);
    CHECK(bad("serial: { hold: -1s }").starts_with("pi.yaml:1: "));
    CHECK(bad("serial: { logs: x }").find("absolute") != std::string::npos);
    CHECK(bad("serial: { log: /x }").find("did you mean 'logs'?") != std::string::npos);
}

TEST_CASE("who may import with plain USB/IP: nobody, unless it stands there") {
    CHECK(good("").usbip_allow.empty());
    const auto config = good("usbip:\n  allow: [ 10.77.0.0/24, 'fd00::5' ]\n");
    REQUIRE(config.usbip_allow.size() == 2);
    CHECK(config.usbip_allow[0].to_string() == "10.77.0.0/24");
    CHECK(config.usbip_allow[1].to_string() == "fd00::5");
    CHECK(bad("usbip:\n  allow:\n    - 10.77.0.1\n    - pve1\n")
              .starts_with("pi.yaml:4: 'pve1' is no"));
    CHECK(bad("usbip: { alow: [] }").find("did you mean 'allow'?") != std::string::npos);
}
