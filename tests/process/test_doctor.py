# SPDX-License-Identifier: MIT
"""longcord doctor as a whole: a machine in order, then one thing broken at a time. Each must be found, as the only
thing that is new, and say what to do. (sshd's own settings are this machine's: unit tests have them.)"""
import contextlib
import fcntl
import json
import os
import pty
import re
import shutil
import socket
import struct
import subprocess
import termios
from pathlib import Path

import pytest
from control_fake import FakeService
from host_world import binary, short_folder

VERSION = subprocess.run([binary("longcord"), "--version"], capture_output=True, text=True).stdout.split()[-1]
VHCI = "sys/devices/platform/vhci_hcd.0"
HEAD = "hub port sta spd dev      sockfd local_busid\n"
FREE = "{}  000{} 004 000 00000000 000000 0-0\n"
USED = "{0}  000{1} 006 {2} 0001000{1} 00000{1} 5-{1}\n"
HIGH, SUPER = range(2), range(2, 4)  # as in the kernel: those of the one speed, and then those of the other


def host_status(**changes):
    pi = {"name": "workbench", "linked": True, "plain": False, "address": "127.0.0.1", "problem": "",
          "software": f"longcord-pi {VERSION}", **changes.pop("pi", {})}
    return {"version": VERSION, "pis": [pi], "problems": [], **changes}


def pi_status(**changes):
    link = {"host": "pve1:22", "linked": True, "problem": "", "software": f"longcord-host {VERSION}",
            **changes.pop("link", {})}
    return {"version": VERSION, "links": [link], "problems": [], "usbip": {"port": 3240, "listening": True}, **changes}


def vhci_status(*used):
    rows = [(USED if port in used else FREE).format(hub, port, speed)
            for hub, speed, ports in (("hs", "002", HIGH), ("ss", "005", SUPER)) for port in ports]
    return HEAD + "".join(rows)


class Machine:
    """In order."""

    def __init__(self):
        self.root = short_folder()
        self.services = {}
        for path, text in {
                f"{VHCI}/attach": "", f"{VHCI}/nports": "4\n", f"{VHCI}/status": vhci_status(),
                f"{VHCI}/usb5/authorized_default": "0\n", f"{VHCI}/usb5/interface_authorized_default": "1\n",
                "sys/module/tls/refcnt": "0\n",
                "sys/module/usbip_host/refcnt": "0\n", "sys/module/usbcore/parameters/usbfs_memory_mb": "256\n",
                "etc/pve/nodes/pve1/qemu-server/100.conf": "usb0: spice\nhookscript: local:snippets/hook\n",
                "etc/pve/nodes/pve1/qemu-server/100.usb.conf": "3-4\n", "etc/pve/.members": '{"cluster":{"quorate":1}}',
                "var/lib/vz/snippets/hook": "#!/bin/sh\n"}.items():
            self.write(path, text)
        (self.root / "etc/pve/local").symlink_to("nodes/pve1")
        (self.root / "etc/pve/qemu-server").symlink_to("local/qemu-server")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def says(self, host=None, pi=None):
        for name, status in (("host", host or host_status()), ("pi", pi or pi_status())):
            if name in self.services:
                self.services.pop(name).close()
            for each in status.get("pis", []):
                each.setdefault("usbip_port", self.port)
            self.services[name] = FakeService(self.root / f"run/longcord/{name}.sock", {"status": status})

    def silent(self, name):
        self.services.pop(name).close()

    def doctor(self, on, **environment):
        done = subprocess.run([binary("longcord"), "doctor", "--on", on, "--json"], capture_output=True, text=True,
                              timeout=60, env={**os.environ, "LONGCORD_ROOT": str(self.root), **environment})
        found = json.loads(done.stdout)["findings"]
        assert all(finding["todo"] for finding in found if finding["level"] != "good"), found
        return {(finding["subject"], finding["what"]): finding for finding in found if finding["level"] != "good"}

    def close(self):
        for service in self.services.values():
            service.close()
        self.listener.close()
        shutil.rmtree(self.root)


@pytest.fixture
def machine():
    one = Machine()
    one.says()
    yield one
    one.close()


def gone(machine, path):
    shutil.rmtree(machine.root / path)


# what is broken: on which service's machine, how, subject, a word of what is found, a word of what to do
FAULTS = {
    "vhci_hcd is missing": ("host", lambda m: gone(m, VHCI), "kernel module vhci_hcd", "not loaded", "modprobe vhci-hcd"),
    "tls is missing": ("host", lambda m: gone(m, "sys/module/tls"), "kernel module tls", "not loaded", "modprobe tls"),
    "usbip-host is missing": (  # the service says so too
        "pi", lambda m: (gone(m, "sys/module/usbip_host"), m.says(pi=pi_status(problems=['no usbip-host: run "modprobe"']))),
        "kernel module usbip-host", "not loaded", "modprobe usbip-host"),
    "nports full": (
        "host", lambda m: m.write(f"{VHCI}/status", vhci_status(*HIGH, *SUPER)), "vhci ports", "no further device can be imported",
        "usbip detach"),
    "nports full, of those that most devices need": (
        "host", lambda m: m.write(f"{VHCI}/status", vhci_status(*HIGH)), "vhci ports",
        "2 of 4 are taken: no further device up to 480 Mbit/s", "usbip detach"),
    "nports full, of the fast ones": (
        "host", lambda m: m.write(f"{VHCI}/status", vhci_status(0, *SUPER)), "vhci ports",
        "3 of 4 are taken: no further device above 480 Mbit/s", "usbip detach"),
    "a root hub that is open": (
        "host", lambda m: m.write(f"{VHCI}/usb5/authorized_default", "1\n"), "root hub usb5", "drivers bind",
        "restart longcord-host"),
    "no quorum": ("host", lambda m: m.write("etc/pve/.members", '{"cluster":{"quorate":0}}'), "cluster", "no quorum", "pvecm"),
    "hookscript absent": (
        "host", lambda m: (m.root / "var/lib/vz/snippets/hook").unlink(), "VM 100", "cannot start",
        "qm set 100 --delete hookscript"),
    "hookscript absent, of a VM of another node": (
        "host", lambda m: m.write("etc/pve/nodes/pve2/qemu-server/200.conf", "hookscript: local:snippets/other\n"),
        "VM 200", "could not start here", "qm set 200 --delete hookscript"),
    "the blog's hookscript": (
        "host", lambda m: m.write("var/lib/vz/snippets/hook", "qmp.execute('device_add')\n"), "VM 100", "two programs",
        "qm set 100 --delete hookscript"),
    "the blog's udev rule": (
        "host", lambda m: m.write("etc/udev/rules.d/90-vm-usb-hotplug.rule",
                                  'SUBSYSTEM=="usb",RUN+="/mnt/pve/x/snippets/qmp_device_add.py"\n'),
        "90-vm-usb-hotplug.rule", "two programs", "udevadm control --reload"),
    "hotplugger's udev rule": (
        "host", lambda m: m.write("etc/udev/rules.d/99-zzz-local.rules", 'SUBSYSTEM=="usb", ACTION=="add", RUN+='
                                  '"/bin/bash -c \'python3 /opt/hotplugger/hotplugger.py\'"\n'),
        "99-zzz-local.rules", "two programs", "udevadm control --reload"),
    "a VM without xHCI": (
        "host", lambda m: m.write("etc/pve/nodes/pve1/qemu-server/100.conf", "name: a\n"), "VM 100", "no xHCI controller",
        "longcord vm prepare 100"),
    "RAM was saved while plugged": (
        "host", lambda m: m.says(host=host_status(problems=[
            'VM 100: the RAM of snapshot "a" was saved with 3-4 plugged and will not load; it does with -device x'])),
        "VM 100", "will not load", "longcord vm quiesce 100"),
    "little usbfs memory": (
        "host", lambda m: m.write("sys/module/usbcore/parameters/usbfs_memory_mb", "16\n"), "usbfs memory", "16 MB",
        "usbfs_memory_mb"),
    "3240 is taken": (
        "pi", lambda m: m.says(pi=pi_status(usbip={"port": 3240, "listening": False}, problems=[
            "port 3240 is taken by usbipd (pid 399): no device can be served; stop it"])), "port 3240",
        "taken by usbipd (pid 399)", "usbipd"),
    "3240 does not answer": ("host", lambda m: m.listener.close(), "Pi workbench", "nobody listens", "on the Pi"),
    "a Pi of another version": (
        "host", lambda m: m.says(host=host_status(pi={"software": "longcord-pi 0.0.1"})), "Pi workbench", "0.0.1", "apt"),
    "a node of another version": (
        "pi", lambda m: m.says(pi=pi_status(link={"software": "longcord-host 0.0.1"})), "node pve1:22", "0.0.1", "apt"),
    "a service of another version": (
        "host", lambda m: m.says(host=host_status(version="0.0.1")), "longcord-host", "0.0.1", "systemctl restart"),
    "a Pi that is not linked": (
        "host", lambda m: m.says(host=host_status(pi={"linked": False, "problem": "not linked"})), "Pi workbench",
        "not linked", "longcord doctor"),
    "no service": (
        "host", lambda m: (m.silent("host"), m.write(f"{VHCI}/usb5/interface_authorized_default", "0\n")),
        "longcord-host", "does not answer", "systemctl status longcord-host"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_and_nothing_else(machine, fault):
    on, break_it, subject, what, todo = FAULTS[fault]
    before = machine.doctor(on)
    break_it(machine)
    new = {key: finding for key, finding in machine.doctor(on).items() if key not in before}
    assert len(new) == 1, new
    (found,) = new.values()
    assert found["subject"].endswith(subject)
    assert what in found["what"] and todo in found["todo"], found


def test_a_machine_in_order_has_nothing_but_what_this_machine_has(machine):
    """sshd and the clock are those of the machine that runs the tests."""
    for on in ("host", "pi"):
        assert {subject for subject, _ in machine.doctor(on)} <= {"sshd", "clock"}


def test_on_a_terminal_it_is_as_wide_as_that(machine):
    machine.silent("host")
    machine.write("sys/module/usbcore/parameters/usbfs_memory_mb", "16\n")
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    subprocess.run([binary("longcord"), "doctor", "--on", "host"], stdout=its, timeout=60,
                   env={**os.environ, "LONGCORD_ROOT": str(machine.root), "NO_COLOR": "1"})
    os.close(its)
    text = b""
    with contextlib.suppress(OSError):  # the terminal's end
        while more := os.read(ours, 65536):
            text += more
    lines = text.decode().replace("\r", "").splitlines()
    assert max(len(line) for line in lines) <= 80, lines
    assert re.search(r"^bad +longcord-host +does not answer\n +-> systemctl status longcord-host$", "\n".join(lines), re.M)


def test_a_vm_without_xhci_where_one_is_added_while_it_runs(machine):
    machine.write("etc/pve/nodes/pve1/qemu-server/100.conf", "name: a\n")
    assert any(subject == "VM 100" for subject, _ in machine.doctor("host"))
    machine.write("etc/longcord/host.yaml", "controllers:\n  hot_add: true\n")
    assert not any(subject == "VM 100" for subject, _ in machine.doctor("host"))


def test_a_clock_that_is_wrong(machine, tmp_path):
    """That of a Pi without a battery: forty years ago."""
    shim = tmp_path / "wrong_clock.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, Path(__file__).with_name("wrong_clock.c"), "-ldl"],
                   check=True)
    wrong = {"LD_PRELOAD": str(shim), "WRONG_CLOCK": str(-40 * 365 * 86400), "ASAN_OPTIONS": "verify_asan_link_order=0"}
    (found,) = [finding for (subject, _), finding in machine.doctor("pi", **wrong).items() if subject == "clock"]
    assert "is wrong: it says 19" in found["what"] and "timedatectl" in found["todo"]
