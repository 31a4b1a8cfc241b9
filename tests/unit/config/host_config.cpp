// SPDX-License-Identifier: MIT
#include "config/host_config.hpp"

#include "base/text.hpp"
#include "config/serial_place.hpp"

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

TEST_CASE("a comma too many, as after a line of JSON, is told and has an end") {
    for (const char* text : {",", "[a],", "\"a\",", "node: a\n,\n", "---\n,"})
        CHECK(bad(text).starts_with("host.yaml:"));
    CHECK(bad("node: \"a\",\ndead_after: 3s\n").starts_with("host.yaml:1:"));
    CHECK(bad(",").find("a comma too many") != std::string::npos);
}

TEST_CASE("what the YAML library quotes of the file can be shown") {
    for (int byte = 1; byte < 0x80; ++byte) {
        const std::string escape{'"', '\\', static_cast<char>(byte), '"'};
        const auto config = parse_host_config("node: " + escape, "host.yaml");
        CHECK((config || is_utf8(config.error().message)));
    }
    CHECK(is_utf8(bad({"r\0\0\0\0\0\0\0\6anrer", 14})));
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
    CHECK(
        good("usbip_servers: { a: { address: 192.0.2.7 } }\nusbip_port: 4001\n")
            .usbip_servers.at("a") == Address{"192.0.2.7", 4001});
    CHECK(bad("usbip_servers: { a: {} }") == "host.yaml:1: 'a' needs an 'address'");
    CHECK(
        bad("pis: { a: {} }\nusbip_servers: { a: { address: b } }").find("both") !=
        std::string::npos);
}

TEST_CASE("serial ports of Pis on addresses of this node") {
    const auto config =
        good("serial:\n  offers:\n"
             "    - { pi: workbench, port: 4000, listen: '10.0.0.1:4000', allow: [10.0.0.0/24] }\n"
             "    - { pi: attic, place: 1-1.2, listen: '[fd00::1]:65535' }\n");
    REQUIRE(config.serial_offers.size() == 2);
    const SerialOffer& first = config.serial_offers[0];
    CHECK(first.pi == "workbench");
    CHECK(first.port == "4000");
    CHECK(first.listen == Address{"10.0.0.1", 4000});
    CHECK(first.allow.allows("10.0.0.7", {}));
    CHECK_FALSE(first.allow.allows("10.0.1.7", {}));
    CHECK(config.serial_offers[1].port == "1-1.2");
    CHECK(config.serial_offers[1].listen == Address{"fd00::1", 65535});
    CHECK_FALSE(config.serial_offers[1].allow.allows("fd00::7", {})); // nobody, by default
    CHECK(good("serial: {}").serial_offers.empty());
    CHECK(good("serial: { offers: [] }").serial_offers.empty());
}

static std::string bad_offer(const std::string& keys) {
    return bad("serial:\n  offers:\n    - {" + keys + "}\n");
}

TEST_CASE("an offer that cannot be meant is refused with its line") {
    const std::string listen = ", listen: '10.0.0.1:4000'";
    CHECK(bad_offer("port: 4000" + listen).starts_with("host.yaml:3: an offer needs a 'pi'"));
    CHECK(
        bad_offer("pi: W, port: 4000" + listen).starts_with("host.yaml:3: an offer needs a 'pi'"));
    CHECK(bad_offer("pi: w" + listen).find("either the 'port'") != std::string::npos);
    CHECK(
        bad_offer("pi: w, port: 1, place: 1-1" + listen).find("either the 'port'") !=
        std::string::npos);
    for (const char* port : {"0", "65536", "x", "-1", "4000 "})
        CHECK_MESSAGE(
            bad_offer(fmt::format("pi: w, port: '{}'{}", port, listen)).find("from 1 to 65535") !=
                std::string::npos,
            port);
    for (const char* place : {"w/1-1", "1-", "workbench", "4000", "1-1:x", "1-1:1", "1-1:1.256"})
        CHECK_MESSAGE(
            bad_offer(fmt::format("pi: w, place: '{}'{}", place, listen)).find("is no place") !=
                std::string::npos,
            place);
    CHECK(bad_offer("pi: w, port: 1").find("needs 'listen'") != std::string::npos);
    for (const char* address : {"10.0.0.1", "10.0.0.1:0", "10.0.0.1:65536", "node:4000", ":4000"})
        CHECK_MESSAGE(
            bad_offer(fmt::format("pi: w, port: 1, listen: '{}'", address))
                .starts_with("host.yaml:3"),
            address);
    CHECK(
        bad_offer("pi: w, port: 1, allow: [x]" + listen).find("'x' is no address") !=
        std::string::npos);
    CHECK(bad_offer("pi: w, prot: 1" + listen).find("did you mean 'port'") != std::string::npos);
    CHECK(
        bad("serial:\n  offers:\n    - { pi: w, port: 1, listen: '10.0.0.1:1' }\n"
            "    - { pi: w, port: 2, listen: '10.0.0.1:1' }\n") ==
        "host.yaml: line 4: 10.0.0.1:1 is taken by the offer in line 3");
    CHECK(
        bad("usbip_servers: { w: { address: a } }\nserial:\n  offers:\n"
            "    - { pi: w, port: 1, listen: '10.0.0.1:1' }\n")
            .find("only a paired Pi has serial ports") != std::string::npos);
}

TEST_CASE("places of serial ports: short or by controller, with a further terminal") {
    for (const char* place :
         {"1-1", "1-1.2:1.1", "pci-0000:00:14.0/4.1", "pci-0000:00:14.0/4.1:2.3",
          "platform-fe9c0000.xhci/1.2", "1-1:255.255"})
        CHECK_MESSAGE(is_serial_place(place), place);
    for (const char* place :
         {"", "1", "w/1-1", "1-1:", "1-1:1", "1-1:1.256", "1-1:1.1:1.1", "usb/1"})
        CHECK_MESSAGE(!is_serial_place(place), place);
}

TEST_CASE("sshd's port is a number, or what sshd says") {
    CHECK(good("").ssh_port == 0);
    CHECK(good("ssh_port: auto").ssh_port == 0);
    CHECK(good("ssh_port: 2222").ssh_port == 2222);
    for (const char* wrong : {"ssh_port: 0", "ssh_port: 65536", "ssh_port: -1", "ssh_port: none"})
        CHECK(bad(wrong) == "host.yaml:1: 'ssh_port' must be auto, or a number from 1 to 65535");
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
                             "      - \"/devices/pci0000:00/0000:00:14.0/usb3/3-4\"\n");
    REQUIRE(config.virtual_machines.size() == 1);
    const MachineConfig& machine = config.virtual_machines[0];
    CHECK(machine.name == "windows");
    CHECK(machine.socket == "/home/user/vm/windows/qmp-sock");
    CHECK(machine.hubs == std::vector<std::string>{"xhci0.0", "xhci1.0"});
    CHECK(
        machine.ports == std::vector<RuleText>{
                             {"/devices/pci0000:00/0000:00:14.0/usb3/3-3", 10, 9},
                             {"/devices/pci0000:00/0000:00:14.0/usb3/3-4", 11, 10}});
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
