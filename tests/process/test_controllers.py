# SPDX-License-Identifier: MIT
"""Ports run short, or a controller goes away: of a real QEMU, and of a vhci with few ports. It is said who has
them, nothing is tried in vain, and what waits is taken when one is free."""
import json
import shutil
import socket
import subprocess

import pytest
from fake_sysfs import FakeVhci
from host_world import DIES_WITH_US, World, short_folder, wait
from played_pi import PlayedPi, UsbipServer, device
from test_host_hand import numbers

BRIDGE = ["-device", "pci-bridge,id=pci.1,chassis_nr=1,bus=pci.0,addr=0x1e"]
XHCI = "qemu-xhci,id=xhci,bus=pci.1,addr=0x1b"


class Qemu:
    """VM 100 with these devices, its monitor, and what else talks to it."""

    def __init__(self, *devices):
        self.folder = short_folder()
        self.run = self.folder / "qemu-server"
        self.run.mkdir()
        self.process = subprocess.Popen([
            *DIES_WITH_US, "qemu-system-x86_64", "-M", "pc,accel=tcg", "-m", "64", "-nodefaults", "-display", "none",
            *BRIDGE, *(word for device in devices for word in ("-device", device)),
            "-pidfile", str(self.run / "100.pid"), "-qmp", f"unix:{self.run}/100.qmp,server=on,wait=off"])
        wait(lambda: (self.run / "100.qmp").exists() and (self.run / "100.pid").exists())

    def do(self, command, **arguments):
        """As somebody else does, unnoticed."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(str(self.run / "100.qmp"))
            lines = client.makefile()
            lines.readline()
            for number, (name, values) in enumerate((("qmp_capabilities", {}), (command, arguments))):
                client.sendall(json.dumps({"execute": name, "arguments": values, "id": number}).encode())
                while (reply := json.loads(lines.readline())).get("id") != number:
                    pass
        assert "return" in reply, reply
        return reply["return"]

    def has(self, name):
        return any(entry["name"] == name for entry in self.do("qom-list", path="/machine/peripheral"))

    def take_out_controller(self):
        """As Proxmox does with the last usbN line. A guest would eject it; here a reset does."""
        self.do("device_del", id="xhci")
        self.do("system_reset")
        wait(lambda: not self.has("xhci"))

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


@pytest.fixture
def vm(request):
    qemu = Qemu(*request.param)
    yield qemu
    qemu.close()


@pytest.fixture
def node(vm):
    world = World(vm)
    world.local.plug("3-4", devnum=7)
    yield world
    world.close()


def write_config(world, *lines):
    """As Proxmox does: by rename."""
    new = world.pve / "nodes/pve1/100.new"
    new.write_text("".join(f"{line}\n" for line in ("name: workshop", "memory: 64", *lines)))
    new.rename(world.pve / "qemu-server/100.conf")


def sessions(world):
    return numbers(world.cli("metrics").stdout)["longcord_qmp_hold_seconds_count"]


# --- a controller that goes

@pytest.mark.parametrize("vm", [[XHCI + ",p2=15,p3=15"]], indirect=True)
def test_the_controller_that_goes_with_the_last_usbn_line_is_missed_and_found_again(node, vm):
    write_config(node, "usb0: spice")
    node.rules(100, "3-4\n")
    node.serve()
    node.stands("3-4", "QEMU says")  # it was tried at that controller
    vm.take_out_controller()
    write_config(node)
    node.stands("3-4", "longcord vm prepare 100", state="refused")
    assert "longcord vm prepare 100" in node.vm(100)["problem"]
    vm.do("device_add", driver="qemu-xhci", id="xhci", bus="pci.1", addr="0x1b", p2=15, p3=15)
    write_config(node, "usb0: spice")
    node.stands("3-4", "QEMU says")
    assert node.vm(100)["problem"] == ""


@pytest.mark.parametrize("vm", [[XHCI + ",p2=15,p3=15", "nec-usb-xhci,id=other,bus=pci.1,addr=0x1c,p2=4,p3=4"]],
                         indirect=True)
def test_another_controller_takes_its_place(node, vm):
    write_config(node, "usb0: spice")
    node.rules(100, "3-4\n")
    node.serve()
    node.says("(xhci.0 port 15)", kind="failed", place="3-4")
    vm.take_out_controller()
    write_config(node)
    node.says("(other.0 port 4)", kind="failed", place="3-4")


@pytest.mark.parametrize("vm", [[]], indirect=True)
def test_a_controller_that_somebody_adds_in_the_monitor_is_found_without_any_event(node, vm):
    node.rules(100, "3-4\n")
    node.serve()
    node.stands("3-4", "longcord vm prepare 100", state="refused")
    vm.do("device_add", driver="qemu-xhci", id="mine", bus="pci.1", addr="0x5")
    node.stands("3-4", "QEMU says")


# --- guest ports

TWO_PORTS = [XHCI + ",p2=2,p3=2", "usb-tablet,id=tablet,bus=xhci.0,port=1", "usb-kbd,id=keys,bus=xhci.0,port=2"]


@pytest.mark.parametrize("vm", [TWO_PORTS], indirect=True)
def test_a_full_controller_is_told_with_who_has_its_ports_and_left_in_peace(node, vm):
    node.rules(100, "3-4\n")
    node.serve()
    node.stands("3-4", "VM 100: no free port on its controller xhci (2 ports; 1: tablet, 2: keys)", state="refused")
    before = sessions(node)
    for devnum in range(8, 20):  # as much as may happen beside it
        node.local.plug("3-9", devnum=devnum)
        wait(lambda: node.device("3-9"))
        node.local.unplug("3-9")
        wait(lambda: not node.device("3-9"))
    assert node.events(kind="failed", place="3-4") == []
    assert len(node.events(kind="refused", place="3-4")) == 1  # told once
    assert sessions(node) - before <= 7  # 0.5 s apart, doubled, whatever happens
    vm.do("device_del", id="tablet")
    node.says("(xhci.0 port 1)", kind="failed", place="3-4")


@pytest.mark.parametrize("vm", [TWO_PORTS], indirect=True)
def test_a_port_that_a_rule_asks_for_and_another_device_has(node, vm):
    node.rules(100, "3-4 port=2\n")
    node.serve()
    node.stands("3-4", "VM 100: port=2 of the rule is taken on xhci (1: tablet, 2: keys)", state="refused")
    node.rules(100, "3-4 port=3\n")
    node.stands("3-4", "VM 100: port=3 of the rule is not on xhci (1 to 2)", state="refused")
    node.rules(100, "3-4 port=2\n")
    vm.do("device_del", id="keys")
    node.says("(xhci.0 port 2)", kind="failed", place="3-4")


@pytest.mark.parametrize("vm", [TWO_PORTS], indirect=True)
def test_what_could_not_be_plugged_is_not_fetched(node, vm):
    server = UsbipServer()
    server.serve("1-1")
    node.vhci.devices[1 << 16 | 3] = {}
    node.rules(100, "workbench\n")
    node.serve()
    pi = PlayedPi(node, "workbench", [device("1-1")], server.port)
    node.stands("workbench/1-1", "no free port", state="refused")
    assert (server.asked, node.vhci.attached) == ([], [])
    vm.do("device_del", id="keys")
    node.stands("workbench/1-1", "QEMU says")
    assert server.asked[0] == "1-1"
    pi.close()
    server.close()


@pytest.mark.parametrize("vm", [[XHCI + ",p2=3,p3=3"]], indirect=True)
def test_on_proxmox_own_controller_the_ports_of_usbn_lines_are_left_alone(node, vm):
    write_config(node, "usb0: spice", "usb2: host=9-9")
    node.rules(100, "3-4\n")
    node.serve()
    node.stands("3-4", "xhci (3 ports, 1 to 3 are for its usbN lines)", state="refused")
    write_config(node, "usb0: spice")
    node.says("(xhci.0 port 3)", kind="failed", place="3-4")


# --- vhci ports

@pytest.fixture
def narrow(qemu, monkeypatch):
    """A node whose vhci has two ports for each speed."""
    monkeypatch.setattr(FakeVhci, "PORTS_OF_A_SPEED", 2)
    world = World(qemu)
    yield world
    world.close()


@pytest.fixture
def boards(narrow):
    """Three boards of a Pi, all wanted."""
    server = UsbipServer()
    busids = ["1-1", "1-2", "1-3"]
    for number, busid in enumerate(busids, 3):
        server.serve(busid, devnum=number)
        narrow.vhci.devices[1 << 16 | number] = {}
    narrow.rules(100, "workbench\n")
    narrow.serve()
    pi = PlayedPi(narrow, "workbench", [device(busid, devnum) for devnum, busid in enumerate(busids, 3)], server.port)
    pi.server = server
    yield pi
    pi.close()
    server.close()


def waits_for_a_port(world, by):
    return world.stands("workbench/1-3", f"all 2 vhci ports of its speed are taken{by}: it is fetched when one is free",
                        state="refused")


def test_few_vhci_ports_are_told_with_who_has_them_and_a_free_one_is_taken(narrow, boards):
    waits_for_a_port(narrow, " by workbench/1-1, workbench/1-2")
    for place in ("workbench/1-1", "workbench/1-2"):
        narrow.stands(place, "QEMU says")
    assert set(boards.server.asked) == {"1-1", "1-2"}
    assert len(narrow.events(kind="refused", place="workbench/1-3")) == 1
    boards.devices = [board for board in boards.devices if board["busid"] != "1-1"]
    boards.say({"type": "removed", "busid": "1-1"})
    narrow.stands("workbench/1-3", "QEMU says")
    assert narrow.vhci.used[0][2] == 1 << 16 | 5
    values = numbers(narrow.cli("metrics").stdout)
    assert values['longcord_vhci_ports{speed="high",state="used"}'] == 2
    assert values['longcord_vhci_ports{speed="high",state="free"}'] == 0


def test_a_faster_device_has_ports_of_its_own(narrow, boards):
    waits_for_a_port(narrow, " by workbench/1-1, workbench/1-2")
    boards.server.serve("2-1", devnum=9, speed=5)
    narrow.vhci.devices[2 << 16 | 9] = {"speed": 5000}
    boards.say({"type": "added", "device": device("2-1", 9, speed=5)})
    narrow.stands("workbench/2-1", "QEMU says")
    assert 2 in narrow.vhci.used


def test_ports_that_somebody_else_has_count_and_are_taken_when_he_has_gone(narrow):
    for port in (0, 1):
        narrow.vhci.attach_by_hand(port=port, devid=9 << 16 | port)
    server = UsbipServer()
    server.serve("1-3")
    narrow.vhci.devices[1 << 16 | 3] = {}
    narrow.rules(100, "workbench\n")
    narrow.serve()
    pi = PlayedPi(narrow, "workbench", [device("1-3")], server.port)
    waits_for_a_port(narrow, "")
    assert server.asked == []
    narrow.vhci.end_stream(1)
    narrow.stands("workbench/1-3", "QEMU says")
    assert sorted(narrow.vhci.used) == [0, 1] and narrow.vhci.detached == []
    pi.close()
    server.close()
