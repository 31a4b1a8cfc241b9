// SPDX-License-Identifier: MIT
#include "config/host_config.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static HostConfig good(std::string_view text) {
    const auto config = parse_host_config(text, "host.yaml");
    REQUIRE_MESSAGE(config.has_value(), (config ? "" : config.error().message));
    return *config;
}

static std::string bad(std::string_view text) {
    const auto config = parse_host_config(text, "host.yaml");
    REQUIRE(!config.has_value());
    CHECK(config.error().kind == ErrorKind::invalid);
    return config.error().message;
}

TEST_CASE("an empty file is all defaults, a missing one too") {
    CHECK(good("") == HostConfig{});
    CHECK(good("# nothing\n") == HostConfig{});
    CHECK(good("node:\n") == HostConfig{});
    const auto missing = load_host_config("/nonexistent/host.yaml");
    REQUIRE(missing.has_value());
    CHECK(*missing == HostConfig{});
}

TEST_CASE("an unknown key is refused with file, line and the nearest known key") {
    CHECK(
        bad("log_level: info\ndead_afer: 3s\n") ==
        "host.yaml:2: unknown key 'dead_afer': did you mean 'dead_after'?");
    CHECK(
        bad("controllers:\n  hot-add: true\n") ==
        "host.yaml:2: unknown key 'controllers.hot-add': did you mean 'hot_add'?");
    CHECK(bad("qqqqqqqq: 1").find("known are: ") != std::string::npos);
    CHECK(bad("pis: { workbench: { adress: 10.0.0.1 } }").find("'address'") != std::string::npos);
}

TEST_CASE("wrong types and ranges are refused with file and line") {
    CHECK(
        bad("\n\ndead_after: soon") ==
        "host.yaml:3: 'dead_after' must be a time from 1s to 60s, such as 3s or 1500ms");
    CHECK(bad("dead_after: 999ms") != "");
    CHECK(bad("dead_after: 61s") != "");
    CHECK(bad("usbip_port: 0") == "host.yaml:1: 'usbip_port' must be a number from 1 to 65535");
    CHECK(bad("usbip_port: 65536") != "");
    CHECK(bad("usbip_port: [1]") != "");
    CHECK(
        bad("log_level: loud") ==
        "host.yaml:1: 'log_level' must be one of: trace, debug, info, warn, error");
    CHECK(
        bad("controllers: { hot_add: maybe }") ==
        "host.yaml:1: 'controllers.hot_add' must be true or false");
    CHECK(
        bad("controllers: true") ==
        "host.yaml:1: 'controllers' must be keys with values ('key: value')");
    CHECK(bad("- a\n- b") == "host.yaml:1: the file must be keys with values ('key: value')");
    CHECK(bad("node: [a]") == "host.yaml:1: 'node' must be a single text");
    CHECK(bad("node: \"a\\eb\"") == "host.yaml:1: 'node' contains control characters");
}

TEST_CASE("all problems are told at once") {
    CHECK(
        bad("usbip_port: x\nforeign_imports: never\n") ==
        "host.yaml:1: 'usbip_port' must be a number from 1 to 65535\n"
        "host.yaml:2: 'foreign_imports' must be one of: allow, refuse");
}

TEST_CASE("a key given twice is refused: the second would win in silence") {
    CHECK(bad("node: a\nnode: b\n") == "host.yaml:2: 'node' stands here twice");
    CHECK(bad("pis:\n  a: {}\n  a: {}\n") == "host.yaml:3: 'a' stands here twice");
}

TEST_CASE("what is no YAML is refused with line and column") {
    CHECK(bad("node: a\n  log_level: [").starts_with("host.yaml:2:"));
    CHECK(bad("node: \xff").find("UTF-8") != std::string::npos);
    CHECK(bad("node: a\n---\nnode: b\n").find("second document") != std::string::npos);
}

TEST_CASE("values at the edges of their ranges") {
    CHECK(good("dead_after: 1s").dead_after == milliseconds(1000));
    CHECK(good("dead_after: 60").dead_after == milliseconds(60000));
    CHECK(good("dead_after: 1m").dead_after == milliseconds(60000));
    CHECK(good("dead_after: 1500ms").dead_after == milliseconds(1500));
    CHECK(good("usbip_port: 65535").usbip_port == 65535);
    CHECK(good("foreign_imports: refuse").foreign_imports == ForeignImports::refuse);
    CHECK(good("controllers: { hot_add: true }").controllers.hot_add);
}

TEST_CASE("a Pi has its own dead_after and address, the others the general one") {
    const auto config = good("dead_after: 5s\n"
                             "pis:\n  workbench: { address: 10.77.0.2, dead_after: 10s }\n");
    CHECK(config.dead_after_of("workbench") == milliseconds(10000));
    CHECK(config.dead_after_of("attic") == milliseconds(5000));
    CHECK(config.pis.at("workbench").address == "10.77.0.2");
    CHECK(bad("pis: { Workbench: {} }").find("no name for a Pi") != std::string::npos);
    CHECK(bad("pis: { a: { address: 'x y' } }").find("no host name") != std::string::npos);
}

TEST_CASE("plain USB/IP servers") {
    const auto config = good("usbip_servers:\n  a: { address: 192.0.2.7 }\n"
                             "  b: { address: '[fd00::7]:4000' }\n");
    CHECK(config.usbip_servers.at("a") == Address{"192.0.2.7", 3240});
    CHECK(config.usbip_servers.at("b") == Address{"fd00::7", 4000});
    CHECK(bad("usbip_servers: { a: {} }") == "host.yaml:1: 'a' needs an 'address'");
    CHECK(
        bad("pis: { a: {} }\nusbip_servers: { a: { address: b } }").find("both") !=
        std::string::npos);
}

TEST_CASE("hotplugger's file, as its README has it, and as it ships") {
    const auto config = good("virtual_machines:\n"
                             "\n"
                             "  windows:\n"
                             "    socket: /home/user/vm/windows/qmp-sock\n"
                             "    delay: 1\n"
                             "    hubs:\n"
                             "      - xhci0.0\n"
                             "      - xhci1.0\n"
                             "    ports:\n"
                             "      - /devices/pci0000:00/0000:00:14.0/usb3/3-3\n"
                             "      - /devices/pci0000:00/0000:00:14.0/usb3/3-4\n");
    REQUIRE(config.virtual_machines.size() == 1);
    const MachineConfig& machine = config.virtual_machines[0];
    CHECK(machine.name == "windows");
    CHECK(machine.socket == "/home/user/vm/windows/qmp-sock");
    CHECK(machine.hubs == std::vector<std::string>{"xhci0.0", "xhci1.0"});
    REQUIRE(machine.ports.size() == 2);
    CHECK(machine.ports[1].text == "/devices/pci0000:00/0000:00:14.0/usb3/3-4");
    CHECK(machine.ports[1].line == 11);
    REQUIRE(config.notes.size() == 1);
    CHECK(
        config.notes[0] == "host.yaml:5: 'delay' of 'windows' is ignored: nothing needs to be "
                           "waited for here");

    const auto shipped = good("virtual_machines:\n\n  windows:\n"
                              "    socket: /home/dragon/vm/test/qmp-sock\n    ports:\n"
                              "      - /devices/pci0000:00/0000:00:14.0/usb3/3-1\n"
                              "      - /devices/pci0000:00/0000:00:14.0/usb4/4-2\n");
    CHECK(shipped.virtual_machines[0].hubs.empty());
    CHECK(shipped.notes.empty());
}

TEST_CASE("a machine's mistakes") {
    CHECK(
        bad("virtual_machines:\n  a:\n    ports: []\n") ==
        "host.yaml:2: 'a' needs a 'socket': the path of its QMP socket");
    CHECK(bad("virtual_machines: { a: { socket: ./qmp } }").find("absolute") != std::string::npos);
    CHECK(
        bad("virtual_machines: { a: { socket: /q, ports: 3-4 } }") ==
        "host.yaml:1: 'virtual_machines.a.ports' must be a list: [ one, two ]");
    CHECK(
        bad("virtual_machines: { a: { socket: /q }, b: { socket: /q } }").find("same socket") !=
        std::string::npos);
    CHECK(
        bad("virtual_machines: { a: { sockt: /q } }").find("did you mean 'socket'?") !=
        std::string::npos);
}
