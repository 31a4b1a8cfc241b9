// SPDX-License-Identifier: MIT
#include "devices.hpp"
#include "pi/serial_wishes.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::testing;

namespace {

const ControllerPlace place{"platform-fe9c0000.xhci", PortPath::parse("1.2").value()};
const std::string key = "platform-fe9c0000.xhci/1.2";

SerialSeen seen(std::vector<TtyNode> nodes, unsigned devnum = 5, bool serial = true) {
    SerialSeen out{cp210x_stick("1-1.2").device, serial, std::move(nodes)};
    out.device.controller = place.controller;
    out.device.devnum = devnum;
    return out;
}

Modes serial_there() {
    Modes modes;
    modes.places[place] = DeviceMode::serial;
    return modes;
}

std::map<std::string, std::string> ttys(const SerialPlaces& places) {
    std::map<std::string, std::string> out;
    for (const auto& channel : places.channels())
        out[channel.key] = channel.tty;
    return out;
}

using Ttys = std::map<std::string, std::string>;

} // namespace

TEST_CASE("a place in mode serial has a port, also before its terminal is there") {
    SerialPlaces places;
    places.update({seen({})}, serial_there());
    CHECK(ttys(places) == Ttys{{key, ""}});
    places.update({seen({{"1.0", "/dev/ttyUSB0"}})}, serial_there());
    const std::vector<SerialChannel> expected{{key, "1-1.2", "1-1.2", key, "/dev/ttyUSB0", true}};
    CHECK(places.channels() == expected);
}

TEST_CASE("the port outlives the device, and ends with the mode") {
    SerialPlaces places;
    places.update({seen({{"1.0", "/dev/ttyUSB0"}})}, serial_there());
    places.update({}, serial_there());
    CHECK(ttys(places) == Ttys{{key, ""}});
    places.update({seen({{"1.0", "/dev/ttyUSB1"}}, 6)}, serial_there());
    CHECK(ttys(places) == Ttys{{key, "/dev/ttyUSB1"}});
    SUBCASE("while it is plugged in") {
        places.update({seen({}, 6, false)}, {});
        CHECK(places.channels().empty());
    }
    SUBCASE("while it is away") {
        places.update({}, {});
        CHECK(places.channels().empty());
    }
}

TEST_CASE("a bridge's channels are ports of their own, and none becomes another while it goes") {
    SerialPlaces places;
    const TtyNode one{"1.0", "/dev/ttyUSB0"};
    const TtyNode two{"1.1", "/dev/ttyUSB1"};
    places.update({seen({one, two})}, serial_there());
    CHECK(ttys(places) == Ttys{{key, "/dev/ttyUSB0"}, {key + ":1.1", "/dev/ttyUSB1"}});
    places.update({seen({two})}, serial_there()); // the kernel takes them out one by one
    CHECK(ttys(places) == Ttys{{key, ""}, {key + ":1.1", "/dev/ttyUSB1"}});
    CHECK(places.channels()[1].name == "1-1.2:1.1");
    CHECK_FALSE(places.channels()[1].first);
}

TEST_CASE("another board there has the place's own port, on whatever interface its terminal is") {
    SerialPlaces places;
    places.update({seen({{"1.0", "/dev/ttyUSB0"}})}, serial_there());
    places.update({seen({{"1.2", "/dev/ttyACM0"}}, 6)}, serial_there());
    CHECK(ttys(places) == Ttys{{key, "/dev/ttyACM0"}});
}

TEST_CASE("eight terminals of a device are served, and not a ninth") {
    std::vector<TtyNode> nodes;
    for (int i = 0; i < 9; ++i)
        nodes.push_back({"1." + std::to_string(i), "/dev/ttyUSB" + std::to_string(i)});
    SerialPlaces places;
    places.update({seen(nodes)}, serial_there());
    CHECK(places.channels().size() == SerialPlaces::max_channels);
    CHECK_FALSE(ttys(places).contains(key + ":1.8"));
}

TEST_CASE("pi.yaml's words for a place, by bus or by controller, become its server's options") {
    SerialPlaces places;
    places.update({seen({{"1.0", "/dev/ttyUSB0"}, {"1.1", "/dev/ttyUSB1"}})}, serial_there());
    SerialConfig config;
    config.listen = {"127.0.0.1", "::1"};
    config.ports = {{"1-1.2", 4007}, {"1-1.3", 4000}};
    config.modes = {{key, PortMode::esp}};
    config.observers = true;
    config.logs = "/var/log/longcord";
    config.hold = milliseconds(500);
    PortNumbers kept;
    const auto wishes = serial_wishes(places.channels(), config, kept);
    REQUIRE(wishes.size() == 2);
    const auto& first = wishes[0].options;
    CHECK(wishes[0].device == "/dev/ttyUSB0");
    REQUIRE(first.listen.size() == 2);
    CHECK(first.listen[1].port() == 4007);
    CHECK(first.observe[0].port() == 5007);
    CHECK(first.mode == PortMode::esp);
    CHECK(first.hold == milliseconds(500));
    CHECK(first.log == "/var/log/longcord/platform-fe9c0000.xhci-1.2.log");
    CHECK(first.device.empty());
    // The second has a number of its own: 4000 is promised to a place where nothing is plugged.
    CHECK(wishes[1].options.listen[0].port() == 4001);
    CHECK(kept == PortNumbers{{key + ":1.1", 4001}});
}

TEST_CASE("a port above 64535 has no observers") {
    SerialPlaces places;
    places.update({seen({})}, serial_there());
    SerialConfig config;
    config.observers = true;
    PortNumbers kept;
    config.ports = {{"1-1.2", 64535}};
    CHECK(serial_wishes(places.channels(), config, kept)[0].options.observe[0].port() == 65535);
    config.ports = {{"1-1.2", 64536}};
    CHECK(serial_wishes(places.channels(), config, kept)[0].options.observe.empty());
}
