// SPDX-License-Identifier: MIT
#include "proxmox/vm_args.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static const std::string own(static_controller);

TEST_CASE("the controller is added to what is there, once, and taken out again") {
    for (const std::string& before :
         {std::string(), std::string("-cpu host"), std::string("-smbios 'type=2,serial=a b'"),
          std::string("-device qemu-xhci,id=other,bus=pci.1,addr=0x1e"),
          std::string("-device qemu-xhci,id=longcord2,bus=pci.2,addr=0x1f"),
          std::string("-chardev socket,id=x,path=/a\\ b"), std::string("-name ends\\ "),
          std::string("-name ends\\\n")}) {
        const auto with = with_controller(before);
        REQUIRE(with.has_value());
        CHECK(with.value() == (before.empty() ? own : before + ' ' + own));
        CHECK(with_controller(with.value()).value() == with.value());
        CHECK(without_controller(with.value()).value() == before);
        CHECK(without_controller(before).value() == before);
    }
}

TEST_CASE("it is found wherever it stands, with whatever quotes and order") {
    CHECK(without_controller("-a b " + own + " -c d").value() == "-a b -c d");
    CHECK(without_controller(own + " -a b " + own).value() == "-a b"); // twice there, both gone
    CHECK(
        without_controller("-a  b  -device "
                           "'qemu-xhci,addr=0x1f,bus=pci.1,p3=15,p2=15,id=longcord'   -c")
            .value() == "-a  b -c");
}

TEST_CASE("its slot or its id in other hands is refused, and named") {
    for (const char* args :
         {"-device e1000,bus=pci.1,addr=0x1f", "-device e1000,addr=1f,bus=pci.1",
          "-device e1000,bus=pci.1,addr=0x1F.0", "-device \"e1000,bus=pci.1,addr=0x1f.0x0\"",
          "-device '{\"driver\":\"e1000\",\"bus\":\"pci.1\",\"addr\":\"0x1f\"}'"})
        CHECK(
            with_controller(args).error().message.find("slot 0x1f of pci.1") != std::string::npos);
    for (const char* args :
         {"-device nec-usb-xhci,id=longcord", "-chardev null,id=longcord",
          "-device qemu-xhci,id=longcord,p2=4,p3=4,bus=pci.1,addr=0x1f"}) {
        CHECK(with_controller(args).error().kind == ErrorKind::busy);
        CHECK(with_controller(args).error().message.find("the id longcord") != std::string::npos);
        CHECK(without_controller(args).value() == args); // not ours: stays
    }
}

TEST_CASE("args that nobody can split are left alone") {
    for (const char* args : {"-cpu 'host", "\"", "-a \"b", "-a b\\", "\\"}) {
        CHECK(with_controller(args).error().kind == ErrorKind::invalid);
        CHECK(without_controller(args).error().kind == ErrorKind::invalid);
    }
    CHECK(with_controller("-device").has_value()); // QEMU will say what is missing
}
