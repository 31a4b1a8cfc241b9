# SPDX-License-Identifier: MIT
"""`longcord explain` of places with a device and without one: empty, never heard of, on a Pi that is away, and
where another program or this node's own kernel shows something."""
import json

import pytest
from host_world import wait
from played_pi import PlayedPi, UsbipServer, device


def explained(world, place):
    return world.ask("explain", place=place)


def verdicts(world, place):
    return [(rule["vmid"], rule["line"], rule["verdict"]) for rule in explained(world, place)["rules"]]


def rules(world, vmid, *lines):
    world.rules(vmid, "".join(f"{line}\n" for line in lines))
    world.says(f"{len(lines)} rules in force", vmid=vmid)


def test_an_empty_place_is_told_rule_by_rule_and_who_would_get_a_device(world):
    rules(world, 100, "3-5", "3-5.1 class=hid", "workbench")
    rules(world, 101, "!3-5.2", "*/* 1a86:55d4")
    assert verdicts(world, "3-5.1") == [
        (100, 1, "matches"), (100, 2, "depends on the device"), (100, 3, "no match"),
        (101, 1, "no match"), (101, 2, "depends on the device")]
    empty = explained(world, "3-5.1")
    assert (empty["device"], empty["winner"], empty["outcome"]) == (None, None, "nothing is plugged in there")
    assert "VM 100 (100.usb.conf:1)" in empty["next"] and "certain devices" in empty["next"]
    assert "3-5.1 is in 3-5" in [rule["reason"] for rule in empty["rules"]]
    assert (101, 2, "denied by another line") in verdicts(world, "3-5.2")
    text = world.cli("explain", "3-5.1")
    assert text.returncode == 0
    for words in ("nothing is plugged", "100.usb.conf:1", "depends on the device", "101.usb.conf:2"):
        assert words in text.stdout


def test_two_vms_that_would_want_it_equally_are_named(world):
    rules(world, 100, "3-5")
    rules(world, 101, "3-5")
    words = explained(world, "3-5.3")["next"]
    assert "100.usb.conf:1" in words and "101.usb.conf:1" in words and "equally" in words


def test_without_any_rule_that_is_said(world):
    assert "no rule wants it" in explained(world, "7-1")["next"]
    assert "no VM has any rule" in world.cli("explain", "7-1").stdout


def test_the_controller_of_an_empty_place_is_that_of_its_bus(world):
    rules(world, 100, "pci-0000:00:14.0/6", "/devices/pci0000:00/0000:00:14.0/usb3/3-6")
    assert [verdict for _, _, verdict in verdicts(world, "3-6.2")] == ["matches", "matches"]  # 3-4 is plugged in
    assert [verdict for _, _, verdict in verdicts(world, "7-6.2")] == ["no match", "no match"]
    assert "not known" in explained(world, "7-6.2")["rules"][0]["reason"]


@pytest.mark.parametrize("place", ["pci-0000:00:14.0/9", "workbench/platform-x/1", "3-", "..", "a b", ""])
def test_what_cannot_be_a_place_here_is_refused(world, place):
    done = world.cli("explain", place)
    assert done.returncode == 2 and done.stdout == "" and "place" in done.stderr


def test_places_of_pis_say_what_is_known_of_the_pi(world):
    rules(world, 100, "workbench")
    assert "no Pi named workbench was linked" in explained(world, "workbench/1-1")["outcome"]
    assert "VM 100" in explained(world, "workbench/1-1")["next"]
    pi = PlayedPi(world, "workbench", [device("1-1.2")])
    wait(lambda: world.device("workbench/1-1.2"))
    assert "exports" in explained(world, "workbench/1-1.3")["outcome"]
    assert verdicts(world, "workbench/1-1.3") == [(100, 1, "matches")]
    assert explained(world, "workbench/1-1.2")["winner"] == {"vmid": 100, "line": 1}
    pi.close()
    wait(lambda: "is not linked" in explained(world, "workbench/1-1.3")["outcome"])


def test_an_import_is_found_where_this_nodes_kernel_shows_it(world):
    server = UsbipServer()
    server.serve("1-1.2")
    world.vhci.devices[1 << 16 | 3] = {}
    rules(world, 100, "workbench/1-1.2")
    pi = PlayedPi(world, "workbench", [device("1-1.2")], server.port)
    world.stands("workbench/1-1.2", "QEMU says")
    assert explained(world, "5-1")["place"] == "workbench/1-1.2"
    pi.close()
    server.close()


def test_what_somebody_else_attached_is_told_as_that(world):
    world.vhci.attach_by_hand(port=3, devid=9 << 16 | 9)
    wait(lambda: "attached by somebody else" in explained(world, "5-4")["outcome"], lambda: explained(world, "5-4"))


def test_both_halves_of_a_receptacle_are_one_place_to_a_rule(world):
    """Below 3-8 and 4-8 is the same receptacle; the device is in its USB 3 half."""
    usb4 = world.local.sys / "devices/pci0000:00/0000:00:14.0/usb4"
    usb4.mkdir()
    (world.local.sys / "bus/usb/devices/usb4").symlink_to(usb4)
    for hub, bus, other in ((world.local.hub, 3, 4), (usb4, 4, 3)):
        port = hub / f"{bus}-0:1.0/usb{bus}-port8"
        port.mkdir(parents=True)
        peer = (usb4 if other == 4 else world.local.hub) / f"{other}-0:1.0/usb{other}-port8"
        (port / "peer").symlink_to(peer)
    from fake_sysfs import add_device
    add_device(world.local.sys, usb4, "4-8", {"devnum": 5, "authorized": 1, "speed": 5000})
    (usb4 / "4-8/port").symlink_to(usb4 / "4-0:1.0/usb4-port8")
    rules(world, 100, "3-8")
    world.crash()
    world.serve()
    world.stands("4-8", "QEMU says")
    rule, = explained(world, "4-8")["rules"]
    assert rule["verdict"] == "matches" and "other half of 3-8" in rule["reason"]


def test_as_json_it_is_one_object(world):
    assert json.loads(world.cli("explain", "3-9", "--json").stdout)["device"] is None
