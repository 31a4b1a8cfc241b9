"""Every stream between a Pi and its node is sealed, by the kernel or by our own process, whichever each end has."""

import contextlib

import pytest

from lab.gadget import Gadget
from lab.progress import say

BOARD = Gadget(socket=0)
DISK = Gadget(name="disk", kind="mass_storage", vendor=0x0525, product=0xA4A5, serial="D1", text="Disk", socket=1)
MARKER = b"a secret that nobody on this cable may read "


@contextlib.contextmanager
def without_tls_module(machine):
    """A kernel as the Raspberry Pi's were before September 2026."""
    machine.run("echo 'install tls /bin/false' >/etc/modprobe.d/lab-no-tls.conf; rmmod tls 2>/dev/null; ! lsmod | grep -qw ^tls")
    try:
        yield
    finally:
        machine.run("rm -f /etc/modprobe.d/lab-no-tls.conf; modprobe tls")


def sealed_by_kernel(machine):
    """How many streams of this machine have kernel TLS."""
    return machine.run("ss -tinH '( sport = :3240 or dport = :3240 )' | grep -c 'tcp-ulp-tls' || true").strip()


@contextlib.contextmanager
def wire_tapped(node):
    """Everything that crosses the node's cable, in a file there. What stays on the node itself may be in clear."""
    node.run("systemd-run --quiet --collect --unit=lab-tap python3 -c '"
             "import socket; tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))\n"
             "with open(\"/tmp/wire\", \"wb\", buffering=0) as out:\n"
             "    while True:\n"
             "        frame, address = tap.recvfrom(70000)\n"
             "        if address[0] != \"lo\": out.write(frame)'; sleep 0.2")
    try:
        yield
    finally:
        node.run("systemctl stop lab-tap")


@pytest.mark.parametrize("node_has, pi_has", [
    pytest.param(True, True, id="both in the kernel"),
    pytest.param(False, False, id="both in user space"),
    pytest.param(True, False, id="node in the kernel, Pi in user space", marks=pytest.mark.more),
    pytest.param(False, True, id="node in user space, Pi in the kernel", marks=pytest.mark.more)])
def test_all_four_pairings_carry_a_board_and_a_disk(longcord, lab, node_has, pi_has):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    with contextlib.ExitStack() as stack:
        for machine, has in ((lab.node, node_has), (lab.pi, pi_has)):
            if not has:
                stack.enter_context(without_tls_module(machine))
        place = lab.pi.plug(BOARD)
        lab.pi.plug(DISK)
        longcord.allow(DISK)
        vm.guest.wait_tty("ttyACM0")
        vm.guest.wait_disk("sda")
        assert sealed_by_kernel(lab.node) == ("2" if node_has else "0")
        assert sealed_by_kernel(lab.pi) == ("2" if pi_has else "0")
        assert longcord.device(place)["stream"] == ("kernel TLS" if node_has else "user space")
        with wire_tapped(lab.node):
            assert lab.echo_through(BOARD, vm, "ttyACM0", MARKER) == MARKER
            everything = bytes(range(256))
            assert lab.echo_through(BOARD, vm, "ttyACM0", everything) == everything
            read = vm.guest.run(f"disk_sum sda {1 << 20}").split()[0]
        assert read == lab.pi.run(f"head -c {1 << 20} /var/lib/lab/disk.disk | md5sum").split()[0]
        assert lab.node.run(f"grep -c -a '{MARKER.decode()}' /tmp/wire || true").strip() == "0"
        assert int(lab.node.run("stat -c %s /tmp/wire")) > 1 << 20  # the tap was there
        lab.pi.unplug(BOARD)
        lab.pi.unplug(DISK)
        vm.guest.wait_no_tty("ttyACM0")


def round_trips(lab, vm):
    """Of the board's line through the guest and back, in ms, as the gadget sees it; the median and the longest."""
    vm.guest.run("echo_on ttyACM0")
    try:
        took = sorted(map(float, lab.pi.run(f"lab-tty trips {lab.pi.tty(BOARD)} 60 20", timeout=120).split()))
    finally:
        vm.guest.run("echo_off ttyACM0")
    return took[len(took) // 2], took[-1]


@pytest.mark.long  # five minutes of a disk's data
def test_no_device_waits_behind_anothers_bulk_transfer(longcord, lab):
    """Each has a connection of its own: the board answers while the disk is being read."""
    big = Gadget(name="disk", kind="mass_storage", vendor=0x0525, product=0xA4A5, serial="D1", text="Disk", socket=1,
                 size=32 << 20)
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    lab.pi.plug(big)
    longcord.allow(big)
    vm.guest.wait_tty("ttyACM0")
    vm.guest.wait_disk("sda")
    alone = round_trips(lab, vm)
    vm.guest.run(f"(disk_sum sda {big.size} >/sum; mv /sum /sum.done) </dev/null >/dev/null 2>&1 &")
    beside = round_trips(lab, vm)
    assert vm.guest.run("[ -e /sum.done ] && echo read || echo reading").strip() == "reading"
    lab.wait(lambda: "read" == vm.guest.run("[ -e /sum.done ] && echo read || echo reading").strip(), timeout=300,
             what="the disk to be read")
    assert vm.guest.run("cat /sum.done; rm /sum.done").split()[0] == lab.pi.run("md5sum </var/lib/lab/disk.disk").split()[0]
    say(f"round trip of a line, median and longest of 20, ms: {alone} alone, {beside} while the disk is read")
