# SPDX-License-Identifier: MIT
"""What longcord-host never plugs without `force`: the disks, network interfaces and claimed devices of
this host, and what a `usbN:` line of any VM names. QEMU is real, so "QEMU says" means that it was asked."""

import pytest
from fake_sysfs import write_all
from host_world import wait

ASKED = "QEMU says"


def usb_line(world, vmid, line):
    """As Proxmox writes a configuration: by rename."""
    new = world.pve / f"nodes/pve1/{vmid}.new"
    new.write_text(f"name: any\nmemory: 64\n{line}\n")
    new.rename(world.pve / f"qemu-server/{vmid}.conf")


def mapping(world, text):
    (world.pve / "mapping").mkdir(exist_ok=True)
    (world.pve / "mapping/usb.cfg").write_text(text)


@pytest.mark.parametrize("line", ["usb0: host=3-4", "usb3: host=1a86:55d4,usb3=1", "usb0: mapping=board",
                                  "usb0: mapping=by-id"])
def test_a_usb_line_of_any_vm_keeps_its_place(world, line):
    mapping(world, "board\n\tmap node=pve1,path=3-4,id=1a86:55d4\nby-id\n\tmap id=1a86:55d4,node=pve1\n")
    usb_line(world, 101, line)
    wait(lambda: world.rules(100, "3-4\n") or world.device("3-4")["state"] == "refused")
    board = world.stands("3-4", f'VM 101\'s own line "{line}" names it', state="refused")
    assert "force" in board["why"]
    assert not world.events(kind="failed", place="3-4")  # QEMU was not asked
    usb_line(world, 101, "usb0: spice")
    world.stands("3-4", ASKED)


def test_force_takes_what_a_usb_line_names(world):
    usb_line(world, 101, "usb0: host=3-4")
    world.rules(100, "3-4\n")
    world.stands("3-4", "names it", state="refused")
    world.rules(100, "3-4 force\n")
    world.stands("3-4", ASKED)


def storage(world, busid, disk):
    """A stick with that disk, which cannot be asked whether it is in use."""
    world.local.plug(busid, devnum=9, product="Stick")
    interface = world.local.hub / busid / f"{busid}:1.0"
    (interface / f"host0/target0:0:0/0:0:0:0/block/{disk}").mkdir(parents=True)
    write_all(interface, {"bInterfaceClass": "08"})
    (world.root / "dev" / disk).symlink_to(disk)


def test_a_disk_that_the_host_uses_stays_until_it_is_free(world):
    storage(world, "3-5", "sda")
    world.rules(100, "3-5\n")
    world.stands("3-5", "this host uses its disk sda", state="refused")
    assert not world.events(kind="failed", place="3-5")
    (world.root / "dev/sda").unlink()
    world.stands("3-5", ASKED)


def test_force_takes_a_disk_that_the_host_uses(world):
    storage(world, "3-5", "sda")
    world.rules(100, "3-5 force\n")
    world.stands("3-5", ASKED)


def test_a_network_interface_in_a_bridge_stays_until_it_is_out(world):
    world.local.plug("3-6", devnum=10, product="Ethernet")
    (world.local.hub / "3-6/3-6:1.0/net/eth7").mkdir(parents=True)
    interface = world.root / "sys/class/net/eth7"
    write_all(interface, {"flags": "0x1003"})
    (interface / "master").symlink_to("../vmbr1")
    world.rules(100, "3-6\n")
    world.stands("3-6", "its network interface eth7 is part of vmbr1", state="refused")
    (interface / "master").unlink()
    world.stands("3-6", "its network interface eth7 is up", state="refused")
    write_all(interface, {"flags": "0x1002"})
    world.stands("3-6", ASKED)


def test_a_device_that_another_process_has_is_left_to_it_and_it_is_named(world):
    node = world.root / "dev/bus/usb/003/007"
    node.parent.mkdir()
    node.write_text("")
    with node.open():
        world.rules(100, "3-4\n")
        board = world.stands("3-4", "has it", state="refused")
        assert "the process " in board["why"] and "(pid " in board["why"]
        assert not world.events(kind="failed", place="3-4")
    world.stands("3-4", ASKED)


def test_a_device_that_this_machine_exports_is_left_to_that(world):
    (world.local.hub / "3-4/driver").symlink_to("/sys/bus/usb/drivers/usbip-host")
    world.rules(100, "3-4\n")
    world.stands("3-4", "this machine exports it over USB/IP", state="refused")
