// SPDX-License-Identifier: MIT
#include "fake_sys.hpp"
#include "result_text.hpp"
#include "usbip/vhci.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::test;

static const std::string vhci = "devices/platform/vhci_hcd.0/";
static const std::string header = "hub port sta spd dev      sockfd local_busid\n";

TEST_CASE("without the module there is no vhci, and the message says what to do") {
    FakeSys sys;
    CHECK_FALSE(Vhci(sys.roots).present());
    const auto ports = Vhci(sys.roots).ports();
    CHECK(ports.error().kind == ErrorKind::not_found);
    CHECK(ports.error().message.find("modprobe vhci-hcd") != std::string::npos);
}

TEST_CASE("ports of all controllers are read in order, from the first one's folder") {
    FakeSys sys;
    sys.file(vhci + "attach", "");
    sys.file(vhci + "status", header + "hs  0000 004 000 00000000 000000 0-0\n");
    for (unsigned i = 1; i < 12; ++i)
        sys.file(
            vhci + fmt::format("status.{}", i),
            header + fmt::format("hs  {:04} 004 000 00000000 000000 0-0\n", i * 30));
    CHECK(Vhci(sys.roots).present());
    const auto ports = Vhci(sys.roots).ports();
    REQUIRE(ports);
    REQUIRE(ports->size() == 12);
    CHECK(ports->at(2).port == 60);
    CHECK(ports->back().port == 330);
}

TEST_CASE("a broken status file among good ones is an error, not fewer ports") {
    FakeSys sys;
    sys.file(vhci + "status", header);
    sys.file(vhci + "status.1", "nonsense\n");
    CHECK(Vhci(sys.roots).ports().error().kind == ErrorKind::protocol);
}

TEST_CASE("attach writes port, descriptor, devid, speed") {
    FakeSys sys;
    sys.log(vhci + "attach");
    CHECK(Vhci(sys.roots).attach(3, 17, 0x10002, Speed::high));
    CHECK(sys.written() == "3 17 65538 3");
}

TEST_CASE("10 Gbit/s is attached as 5: vhci knows no more") {
    FakeSys sys;
    sys.log(vhci + "attach");
    CHECK(Vhci(sys.roots).attach(9, 17, 1, Speed::super_plus));
    CHECK(sys.written() == "9 17 1 5");
}

TEST_CASE("a device of unknown speed is not attached") {
    FakeSys sys;
    sys.log(vhci + "attach");
    CHECK(Vhci(sys.roots).attach(9, 17, 1, Speed::unknown).error().kind == ErrorKind::invalid);
    CHECK(sys.written().empty());
}

TEST_CASE("what the kernel refuses comes back with the port") {
    FakeSys sys;
    sys.link(vhci + "attach", "/dev/full");
    const auto attached = Vhci(sys.roots).attach(9, 17, 1, Speed::high);
    CHECK(attached.error().kind == ErrorKind::full);
    CHECK(attached.error().message.starts_with("vhci port 9: "));
}

TEST_CASE("detach writes the port alone") {
    FakeSys sys;
    sys.log(vhci + "detach");
    CHECK(Vhci(sys.roots).detach(12));
    CHECK(sys.written() == "12");
}
