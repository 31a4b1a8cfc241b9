// SPDX-License-Identifier: MIT
#include "proxmox/vm_config.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("a configuration as Proxmox writes it") {
    const auto config =
        parse_vm_config("#A note%3A usb0%3A host=9-9\n"
                        "#lock: migrate\n"
                        "args: -device qemu-xhci,id=longcord,p2=15,p3=15,bus=pci.1,addr=0x1f\n"
                        "boot: order=scsi0;net0\n"
                        "cores: 2\n"
                        "hookscript: local:snippets/longcord-hookscript\n"
                        "lock: backup\n"
                        "name: build-server\n"
                        "net0: virtio=BC:24:11:AA:BB:CC,bridge=vmbr0\n"
                        "ostype: l26\n"
                        "smbios1: uuid=4A3F1C2E-0B6D-4c57-9d3e-111122223333\n"
                        "usb0: host=1-2.3,usb3=1\n"
                        "usb1: spice\n"
                        "vmgenid: 0f0f0f0f-0000-1111-2222-333344445555\n"
                        "\n"
                        "[PENDING]\n"
                        "lock: migrate\n"
                        "usb2: host=3-3\n"
                        "\n"
                        "[before-upgrade]\n"
                        "name: old-name\n"
                        "ostype: win10\n");
    CHECK(config.name == "build-server");
    CHECK(config.lock == VmLock::backup);
    CHECK(config.lock_text == "backup");
    CHECK(config.uuid == "4a3f1c2e-0b6d-4c57-9d3e-111122223333");
    CHECK(config.ostype == "l26");
    CHECK(config.hookscript == "local:snippets/longcord-hookscript");
    CHECK(config.args == "-device qemu-xhci,id=longcord,p2=15,p3=15,bus=pci.1,addr=0x1f");
    REQUIRE(config.usb.size() == 2);
    CHECK(config.usb[0].index == 0);
    CHECK(config.usb[0].text == "host=1-2.3,usb3=1");
    CHECK(config.usb[0].place == *Place::parse("1-2.3"));
    CHECK(config.usb[0].usb3);
    CHECK(config.usb[1].spice);
}

TEST_CASE("every lock that Proxmox knows") {
    const auto lock = [](const std::string& text) {
        return parse_vm_config("lock: " + text + "\n").lock;
    };
    CHECK(parse_vm_config("name: x\n").lock == VmLock::none);
    CHECK(lock("backup") == VmLock::backup);
    CHECK(lock("snapshot-delete") == VmLock::snapshot_delete);
    CHECK(lock("migrate") == VmLock::migrate);
    for (const char* other :
         {"clone", "create", "rollback", "snapshot", "suspending", "suspended", "something-new"})
        CHECK(lock(other) == VmLock::other);
}

TEST_CASE("usbN: the forms of USB.pm") {
    CHECK(parse_usb_line(0, "host=1-2").place == *Place::parse("1-2"));
    CHECK(parse_usb_line(0, "1-2,usb3=1").place == *Place::parse("1-2"));
    CHECK(parse_usb_line(0, "host=12-3.10.4").place == *Place::parse("12-3.10.4"));
    CHECK(parse_usb_line(0, "usb3=yes,host=1-2").usb3);
    CHECK_FALSE(parse_usb_line(0, "1-2,usb3=0").usb3);
    CHECK(parse_usb_line(0, "host=10C4:EA60").id == UsbId{0x10c4, 0xea60});
    CHECK(parse_usb_line(0, "0x10c4:0xea60").id == UsbId{0x10c4, 0xea60});
    CHECK(parse_usb_line(0, "host=SPICE").spice);
    CHECK(parse_usb_line(0, "mapping=ups-board,usb3=1").mapping == "ups-board");
}

TEST_CASE("usbN: a value in no known form names nothing and keeps its text") {
    for (const char* value :
         {"", "host=", "host=1-", "host=1-2.", "host=0-1", "host=pi/1-2", "1", "10c4:", "10c4:ea6",
          "0x:0x", "quantum=1"}) {
        CAPTURE(value);
        const auto line = parse_usb_line(3, value);
        CHECK(line.index == 3);
        CHECK(line.text == value);
        CHECK_FALSE(line.place.has_value());
        CHECK_FALSE(line.id.has_value());
        CHECK(line.mapping.empty());
        CHECK_FALSE(line.spice);
    }
}

TEST_CASE("the uuid of smbios1 is plain beside base64 fields") {
    CHECK(
        parse_vm_config("smbios1: base64=1,manufacturer=TG9uZyBjb3Jk,"
                        "uuid=00000000-0000-0000-0000-0000000000ab,serial=Zm9vPT0=\n")
            .uuid == "00000000-0000-0000-0000-0000000000ab");
    CHECK(parse_vm_config("smbios1: manufacturer=TG9uZw==,base64=1\n").uuid.empty());
    CHECK(parse_vm_config("smbios1: uuid=not-a-uuid\n").uuid.empty());
    CHECK(parse_vm_config("smbios1: uuid=00000000-0000-0000-0000-0000000000a\n").uuid.empty());
    CHECK(parse_vm_config("vmgenid: 00000000-0000-0000-0000-0000000000ab\n").uuid.empty());
}

TEST_CASE("odd text is no trouble") {
    CHECK(parse_vm_config("") == VmConfig{});
    CHECK(parse_vm_config("\n\n:\nusb\nusb: x\nusbx: 1-1\nusb100: 1-1\n") == VmConfig{});
    CHECK(parse_vm_config("name: crlf\r\nlock: migrate\r\n").lock == VmLock::migrate);
    CHECK(parse_vm_config("name: no newline at the end").name == "no newline at the end");
    CHECK(parse_vm_config("name: a\x01\xff").name == "a??");
    const auto twice = parse_vm_config("usb0: 1-1\nusb0: 1-2\n");
    REQUIRE(twice.usb.size() == 1);
    CHECK(twice.usb[0].place == *Place::parse("1-2"));
}
