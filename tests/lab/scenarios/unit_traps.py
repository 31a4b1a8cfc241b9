"""What the hardened unit must not hide from longcord-host: /etc/pve of after a restart of pmxcfs, and a QMP socket below
/home. Each is a bound of the unit that was left out, or made weaker, and the reason is written there."""

import time

import pytest

from lab import qmp, warm
from lab.gadget import Gadget
from lab.progress import say
from scenarios.no_frozen_vm import host_yaml

BOARD = Gadget(vendor=0x1A86, product=0x55D4, serial="0001", socket=0)
SECOND = Gadget(name="second", vendor=0x10C4, product=0xEA60, serial="0002", socket=1)
FIRST_ONLY, BOTH = ("workbench 1a86:55d4",), ("workbench 1a86:55d4", "workbench 10c4:ea60")
CONTENT = "/run/lab-pve"
SEEN_WITHIN = 5  # seconds

pytestmark = pytest.mark.more


# --- /etc/pve

@pytest.fixture
def pmxcfs(longcord, lab):
    """/etc/pve is a file system of its own, mounted before the service starts, and nothing lies below it. What the lab
    has there otherwise would not do: a mount that went and still shows what the next one has is no trap."""
    lab.node.run(f"systemctl stop longcord-host; rm -rf {CONTENT}; cp -a /etc/pve {CONTENT}; mount -t tmpfs -o mode=755 below /etc/pve")
    mount(lab.node)
    lab.node.run("systemctl start longcord-host")
    longcord.wait_linked()
    yield
    lab.node.run("systemctl stop longcord-host; umount /etc/pve; umount /etc/pve; systemctl start longcord-host")


def mount(node):
    """A new one, which is there with all that is in it."""
    node.run(f"install -d /run/lab-new && mount -t tmpfs -o mode=755 pmxcfs /run/lab-new && cp -a {CONTENT}/. /run/lab-new/ && "
             "mount --bind /run/lab-new /etc/pve && umount /run/lab-new")


def unmount(node):
    node.run("umount /etc/pve && ! ls -A /etc/pve | grep .")


def seconds_to(lab, vm, sign, action):
    """From the end of an action until the guest says that the second board came ("+") or went ("-")."""
    heard, words = vm.guest.mark(), rf"LAB tty\{sign} ttyACM1"
    action()
    begun = time.time()
    lab.wait(lambda: vm.guest.when(words, heard), 60, f"the guest to say {words}")
    return vm.guest.when(words, heard) - begun


def test_a_new_etc_pve_is_seen_within_5_s(pmxcfs, longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules(*FIRST_ONLY)
    longcord.wait_state(lab.pi.plug(BOARD), "plugged")
    longcord.wait_state(lab.pi.plug(SECOND), "unclaimed")
    heard = vm.guest.mark()
    plug = seconds_to(lab, vm, "+", lambda: vm.write_rules(*BOTH))
    unplug = seconds_to(lab, vm, "-", lambda: vm.write_rules(*FIRST_ONLY))

    unmount(lab.node)
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    lab.node.put("".join(f"{line}\n" for line in BOTH), f"{CONTENT}/nodes/node/qemu-server/100.usb.conf", mode="640")
    meanwhile = seconds_to(lab, vm, "+", lambda: mount(lab.node))
    later = seconds_to(lab, vm, "-", lambda: vm.write_rules(*FIRST_ONLY))
    lab.node.run("qm set 100 --lock snapshot")
    lab.wait(lambda: "lock: snapshot" in longcord.cli("status")["vms"][0]["state"], what="Longcord to see the lock")
    vm.write_rules(*BOTH)
    lab.wait(lambda: "100.usb.conf" in longcord.device(lab.pi.place(SECOND))["why"], what="Longcord to see the rule")
    assert len(vm.plugged()) == 1
    unlocked = seconds_to(lab, vm, "+", lambda: lab.node.run("qm unlock 100"))

    say(f"as usual a rule took {plug:.1f} s to plug, and {unplug:.1f} s to unplug; what was written while /etc/pve was away took "
        f"{meanwhile:.1f} s from its mount, a rule written later {later:.1f} s, a VM's config {unlocked:.1f} s")
    assert meanwhile - plug < SEEN_WITHIN and unlocked - plug < SEEN_WITHIN
    assert later - unplug < SEEN_WITHIN
    assert not [line for line in vm.guest.log(heard) if "LAB tty" in line and "ttyACM1" not in line], "it kept the first board"


# --- /home

QM_IN_A_HOME = """
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
qm = ModuleType("qm")
SourceFileLoader("qm", "/usr/local/sbin/qm").exec_module(qm)
qm.RUN = Path("/home/dragon/vm")
"""


@pytest.fixture
def by_hand(longcord, lab):
    """A QEMU that Proxmox knows nothing of, its monitor in a home that is closed to others. It has VM 101's hardware."""
    vm = lab.node.vm(101)
    if vm.running():
        vm.stop()
    warm.prepare(vm)
    lab.node.run("install -d -m 700 -o nobody /home/dragon /home/dragon/vm")
    lab.node.python(QM_IN_A_HOME + "qm.start('101')", timeout=300)
    lab.node.run("chown -R nobody /home/dragon")
    vm.guest.listen()
    vm.guest.wait_ready()
    yield vm
    lab.node.python(QM_IN_A_HOME + "qm.stop('101')")
    lab.node.run("rm -r /home/dragon")


def test_a_monitor_below_home_is_reached(by_hand, longcord, lab):
    monitor = lab.node.folder / "home.qmp"
    lab.node.forward(monitor, "/home/dragon/vm/101.qmp")
    yaml = "virtual_machines:\n  windows:\n    socket: /home/dragon/vm/101.qmp\n    ports: [ workbench ]\n"
    with host_yaml(longcord, yaml):
        place = lab.pi.plug(BOARD)
        by_hand.guest.wait_tty("ttyACM0", BOARD.ids)
        assert lab.echo_through(BOARD, by_hand) == b"longcord\r\n"
        name = f"usbhost-{place.replace('/', '-')}"
        assert qmp.command(monitor, "qom-get", path=f"/machine/peripheral/{name}", property="attached") is True
        lab.pi.unplug(BOARD)
        by_hand.guest.wait_no_tty("ttyACM0")
