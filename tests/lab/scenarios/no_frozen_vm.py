"""Whatever a Pi, its kernel, the network or a daemon does: the VM answers, and loses nothing that is still there."""

import contextlib
import time

import pytest

from lab.gadget import Gadget
from lab.longcord import HOST_YAML
from scenarios.plug_while_running import imports

BOARD = Gadget(socket=0)
DISK = Gadget(name="disk", kind="mass_storage", vendor=0x0525, product=0xA4A5, serial="D1", text="Disk", socket=1,
              size=32 << 20)


@contextlib.contextmanager
def host_yaml(longcord, text):
    longcord.node.put(HOST_YAML + text, "/etc/longcord/host.yaml")
    longcord.node.run("systemctl reload longcord-host")
    try:
        yield
    finally:
        longcord.node.put(HOST_YAML, "/etc/longcord/host.yaml")
        longcord.node.run("systemctl reload longcord-host")


def time_to_plug(lab, vm):
    begun = time.monotonic()
    lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    return time.monotonic() - begun


def test_a_server_that_answers_no_transfer_delays_nobody_else(longcord, lab):
    """The kernel enumerates the mute device for as long as we let it; the other board is there within 5 s all the
    same, and nobody takes it for mute because it had to wait."""
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("mute", "workbench")
    alone = time_to_plug(lab, vm)
    lab.pi.unplug(BOARD)
    vm.guest.wait_no_tty("ttyACM0")
    lab.pi.run("systemd-run --quiet --collect --unit=lab-mute mute-usbip 3999")
    lab.wait(lambda: lab.pi.run("ss -Hltn 'sport = 3999'").strip(), what="the mute server to listen")
    try:
        with host_yaml(longcord, f"usbip_servers:\n  mute: {{ address: \"{lab.pi.address}:3999\" }}\n"):
            lab.wait(lambda: imports(lab.node), what="the mute device to be imported")
            since = longcord.last_event()
            beside = time_to_plug(lab, vm)
            assert beside < alone + 5, f"{beside:.1f} s beside a mute device, {alone:.1f} s without it"
            tries = [event for event in longcord.events(since) if event["kind"] == "imported"
                     and event["place"].startswith("workbench")]
            assert len(tries) == 1, tries
            assert vm.qmp("query-status")["status"] == "running"
            lab.wait(lambda: "did not enumerate" in str(longcord.events()), what="the mute device to be given up")
    finally:
        lab.pi.run("systemctl stop lab-mute")


@pytest.mark.long  # a minute and more of a disk's data
def test_a_slow_link_unplugs_nothing(longcord, lab):
    """10 Mbit/s, full with a disk's data for a minute, and a serial line beside it."""
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    lab.pi.plug(DISK)
    longcord.allow(DISK)
    vm.guest.wait_tty("ttyACM0")
    vm.guest.wait_disk("sda")
    heard, since = vm.guest.mark(), longcord.last_event()
    device = lab.pi.run(f"ip -o route get {lab.node.address} | grep -o 'dev [^ ]*' | cut -d' ' -f2").strip()
    lab.pi.run(f"tc qdisc add dev {device} root tbf rate 10mbit burst 32kbit latency 400ms")
    try:
        # 32 MiB at 10 Mbit/s take 27 s, and minutes where the machines are emulated: as often as a minute takes.
        begun = time.monotonic()
        again = f"end=$(($(date +%s) + 60)); while disk_sum sda {DISK.size}; [ $(date +%s) -lt $end ]; do :; done"
        vm.guest.run(f"( ({again}) >/sum; mv /sum /sum.done) </dev/null >/dev/null 2>&1 &")
        def read():
            assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
            return vm.guest.run("[ -e /sum.done ] && cat /sum.done || true")
        sums = lab.wait(read, timeout=900, what="the disk to be read").splitlines()
    finally:
        lab.pi.run(f"tc qdisc del dev {device} root")
        vm.guest.run("rm -f /sum.done")
    assert {line.split()[0] for line in sums} == {lab.pi.run("md5sum </var/lib/lab/disk.disk").split()[0]}
    print(f"\nread {len(sums)} times in {time.monotonic() - begun:.0f} s")
    assert not vm.guest.said("LAB tty- ttyACM0", heard) and not vm.guest.said("LAB disk- sda", heard)
    assert not [event for event in longcord.events(since) if event["kind"] in ("unplugged", "detached", "unlinked")]


@pytest.mark.more
def test_a_stopped_daemon_loses_no_device(longcord, lab):
    """SIGSTOP, which nothing sees but silence."""
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    heard = vm.guest.mark()
    for machine, process in ((lab.node, "longcord-host"), (lab.pi, "longcord-pi"), (lab.node, "longcord-link")):
        machine.run(f"pkill -STOP -x {process}")
        try:
            silent = time.monotonic() + 8  # well beyond dead_after: what is shown is that time does nothing
            while time.monotonic() < silent:
                assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
        finally:
            machine.run(f"pkill -CONT -x {process}")
        longcord.wait_linked()
    assert not vm.guest.said("LAB tty- ttyACM0", heard)


@pytest.mark.more
def test_sshd_killed_loses_no_device(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    heard = vm.guest.mark()
    lab.node.run("pkill -KILL -u longcord; true", check=False)  # the session's sshd and longcord-link
    longcord.wait_linked()
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    assert not vm.guest.said("LAB tty- ttyACM0", heard)
