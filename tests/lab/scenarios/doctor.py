# SPDX-License-Identifier: MIT
"""`longcord doctor`: the machines are broken one thing at a time. Each is found, as the only thing that is new, with what
to do about it; it is mended, and no longer found."""

import json
import re
import time

import pytest

from lab.gadget import Gadget
from lab.install import HOOKSCRIPT

BOARD = Gadget(socket=0)
PREPARED = "usb0: spice\n"  # Proxmox makes a controller for it
DROP_IN = "/etc/ssh/sshd_config.d/50-longcord.conf"
SCRIPT = "/var/lib/vz/snippets/longcord-hookscript"
RULES = "/etc/udev/rules.d"
BLOGS_RULE = 'SUBSYSTEM=="usb",RUN+="/mnt/pve/snippets/snippets/qmp_device_add.py"\n'
HOTPLUGGERS_RULE = ('SUBSYSTEM=="usb", ACTION=="add", RUN+="/bin/bash -c \'python3 /opt/hotplugger/hotplugger.py >> '
                    '/tmp/hotplugger.log\'"\n')
WAY_TO_NODE = "$(ip -o route get 10.77.0.1 | grep -o 'dev [^ ]*' | cut -d' ' -f2)"
DROP_3240 = (f"tc qdisc add dev {WAY_TO_NODE} ingress && tc filter add dev {WAY_TO_NODE} parent ffff: protocol ip u32 "
             "match ip protocol 6 0xff match ip dport 3240 0xffff action drop")
# What a time daemon tells the kernel once it has the right time. (ADJ_STATUS | ADJ_MAXERROR: no STA_UNSYNC, no error;
# of an error that it is not told the kernel thinks the worst, and unsets the status within a second.)
KEEP_CLOCK = """
import ctypes
timex = ctypes.create_string_buffer(208)
ctypes.c_uint.from_buffer(timex).value = 0x14
ctypes.CDLL(None).adjtimex(timex)
"""


def say_version(version):
    """longcord-pi as it would be of another version: the same program with other words in it."""
    def change(stage):
        program = "/usr/sbin/longcord-pi"
        stage.pi.run(f"test -e {program}.kept || cp -p {program} {program}.kept; "
                     f"sed 's/{stage.version}/{version}/g' {program}.kept >{program}.new; chmod 755 {program}.new; "
                     f"mv {program}.new {program}; systemctl restart longcord-pi")
        stage.lab.wait(lambda: version in json.dumps(stage.longcord.pis()["workbench"]["software"]), what="the link")
    return change


def own_version(stage):
    stage.pi.run("mv /usr/sbin/longcord-pi.kept /usr/sbin/longcord-pi; systemctl restart longcord-pi")
    stage.longcord.wait_linked()


def take_3240(stage):
    stage.pi.run("systemctl stop longcord-pi")
    stage.pi.start_usbipd()
    stage.pi.run("systemctl start longcord-pi")
    stage.longcord.wait_linked()


def fill_vhci(stage):
    stage.node.run("rm -f /run/lab-fill-vhci; systemd-run --quiet --collect --unit=lab-fill-vhci lab-fill-vhci")
    stage.lab.wait(lambda: stage.node.run("cat /run/lab-fill-vhci", check=False).stdout, what="the ports to be taken")


def plugged_snapshot(stage):
    vm = stage.vm
    vm.ensure_running()
    stage.node.plug_local("board", "usb-serial", port="1.2.1")
    vm.write_rules("1-1.2.1")
    stage.longcord.wait_state("1-1.2.1", "plugged")
    stage.node.run("qm snapshot 100 before", timeout=300)


def forget_snapshot(stage):
    stage.node.run("qm delsnapshot 100 before")
    stage.vm.remove_rules()


def on(name, command):
    return lambda stage: getattr(stage, name).run(command)


def put(name, text, path):
    return lambda stage: getattr(stage, name).put(text, path)


class Break:
    """What is broken where, how it is mended, and whose doctor has to say what of it, and what to do."""

    def __init__(self, broken, mended, doctor="node", subject="", what="", todo="", level="bad"):
        self.broken, self.mended, self.doctor, self.level = broken, mended, doctor, level
        self.subject, self.what, self.todo = subject, what, todo


BREAKS = {
    "vhci_hcd is missing": Break(
        on("node", "modprobe -r vhci_hcd"), on("node", "modprobe vhci-hcd"),
        subject="kernel module vhci_hcd", what="not loaded", todo="modprobe vhci-hcd"),
    "tls is missing": Break(
        on("node", "modprobe -r tls"), on("node", "modprobe tls"), level="warning",
        subject="kernel module tls", what="not loaded", todo="modprobe tls"),
    "usbip-host is missing": Break(
        on("pi", "modprobe -r usbip_host"), on("pi", "modprobe usbip-host"), "pi",
        subject="kernel module usbip-host", what="not loaded", todo="modprobe usbip-host"),
    "nports full": Break(
        fill_vhci, on("node", "systemctl stop lab-fill-vhci"),
        subject="vhci ports", what=r"\d+ of \d+ are taken: no further device up to 480", todo="usbip detach"),
    "a root hub is open": Break(
        on("node", "cd /sys/devices/platform/vhci_hcd.1 && echo 1 >$(ls -d usb* | head -1)/authorized_default"),
        lambda stage: (stage.node.run("systemctl restart longcord-host"), stage.longcord.wait_linked()),
        subject="root hub usb", what="lets this host's drivers bind", todo="restart longcord-host"),
    "sshd's drop-in is away": Break(
        on("node", f"mv {DROP_IN} /root/"), on("node", f"mv /root/50-longcord.conf {DROP_IN}"),
        subject="sshd", what='"authorizedkeyscommand none"', todo="50-longcord.conf there"),
    "sshd's drop-in is not included": Break(
        on("node", "sed -i 's/^Include/#Include/' /etc/ssh/sshd_config"),
        on("node", "sed -i 's/^#Include/Include/' /etc/ssh/sshd_config"),
        subject="sshd", what='"authorizedkeyscommand none"', todo="included"),
    "another block comes first": Break(
        put("node", "Match User l*\n  PermitTTY yes\n", "/etc/ssh/sshd_config.d/00-other.conf"),
        on("node", "rm /etc/ssh/sshd_config.d/00-other.conf"),
        subject="sshd", what=r'longcord: "permittty yes" \(not "no"\)$', todo="before other settings"),
    "the user is denied": Break(
        put("node", "DenyUsers guest longcord\n", "/etc/ssh/sshd_config.d/99-other.conf"),
        on("node", "rm /etc/ssh/sshd_config.d/99-other.conf"),
        subject="sshd", what='keeps the user longcord out: "denyusers longcord"', todo="without longcord"),
    "sshd does not take its configuration": Break(
        put("node", "Nonsense\n", "/etc/ssh/sshd_config.d/99-other.conf"),
        on("node", "rm /etc/ssh/sshd_config.d/99-other.conf"),
        subject="sshd", what="does not accept its configuration: .*99-other.conf", todo="sshd -t"),
    "no quorum": Break(
        put("node", '{"nodename": "node", "version": 2, "cluster": {"name": "lab", "quorate": 0}}', "/etc/pve/.members"),
        lambda stage: stage.lab.show_cluster(),
        subject="cluster", what="no quorum", todo="pvecm status"),
    "the hookscript is absent": Break(
        lambda stage: (stage.vm.configure(hookscript=HOOKSCRIPT, extra=PREPARED), stage.node.run(f"mv {SCRIPT} /root/")),
        on("node", f"mv /root/longcord-hookscript {SCRIPT}"),
        subject="VM 100", what=f"{HOOKSCRIPT}, which this node has not: it cannot start", todo="qm set 100 --delete hookscript"),
    "the blog's udev rule": Break(
        put("node", BLOGS_RULE, f"{RULES}/90-vm-usb-hotplug.rules"), on("node", f"rm {RULES}/90-vm-usb-hotplug.rules"),
        subject=f"{RULES}/90-vm-usb-hotplug.rules", what="two programs", todo="remove it", level="warning"),
    "hotplugger's udev rule": Break(
        put("node", HOTPLUGGERS_RULE, f"{RULES}/99-zzz-local.rules"), on("node", f"rm {RULES}/99-zzz-local.rules"),
        subject=f"{RULES}/99-zzz-local.rules", what="two programs", todo="remove it", level="warning"),
    "a VM without xHCI": Break(
        lambda stage: (stage.vm.configure(controller="none"), stage.vm.write_rules("1-1.2.1")),
        lambda stage: stage.vm.configure(extra=PREPARED),
        subject="VM 100", what="no xHCI controller", todo="longcord vm prepare 100"),
    "RAM was saved while a device was plugged": Break(
        plugged_snapshot, forget_snapshot, level="warning",
        subject="VM 100", what="will not load; it does with -device usb-host", todo="longcord vm quiesce 100 -- qm snapshot 100"),
    "little memory for usbfs": Break(
        on("node", "echo 16 >/sys/module/usbcore/parameters/usbfs_memory_mb"),
        on("node", "echo 256 >/sys/module/usbcore/parameters/usbfs_memory_mb"), level="warning",
        subject="usbfs memory", what="limited to 16 MB", todo="echo 256 >/sys/module"),
    "3240 is taken": Break(
        take_3240, lambda stage: stage.pi.stop_usbipd(), "pi",
        subject="port 3240", what=r"is taken by usbipd \(pid \d+\)", todo="systemctl disable --now usbipd"),
    "3240 is blocked": Break(
        on("pi", DROP_3240), on("pi", f"tc qdisc del dev {WAY_TO_NODE} ingress"),
        subject="Pi workbench", what="10.77.0.2, port 3240: Connection timed out", todo="blocked by a firewall"),
    "versions differ, as the node sees it": Break(
        say_version("0.0.9"), own_version, level="warning",
        subject="Pi workbench", what="runs longcord-pi 0.0.9, this machine", todo="apt upgrade"),
    "versions differ: the service was not started anew": Break(
        say_version("0.0.9"), own_version, "pi", level="warning",
        subject="longcord-pi", what="is version 0.0.9, this command line", todo="systemctl restart longcord-pi"),
    "the clock is wrong": Break(
        on("pi", "date -s '2019-01-01 00:00:00'"), lambda stage: set_clock(stage.pi), "pi", level="warning",
        subject="clock", what="is wrong: it says 2019-01-01T00:0", todo="timedatectl set-ntp true"),
}


def set_clock(machine):
    machine.run(f"date -s @{time.time():.3f}")
    machine.python(KEEP_CLOCK)


class Stage:
    def __init__(self, lab, longcord):
        self.lab, self.longcord, self.pi, self.node, self.vm = lab, longcord, lab.pi, lab.node, lab.node.vm(100)
        self.version = lab.node.run("longcord --version").split()[-1]

    def doctor(self, machine):
        """What is not good."""
        done = machine.run("longcord doctor --json", check=False)
        found = [one for one in json.loads(done.stdout)["findings"] if one["level"] != "good"]
        expected = 1 if any(one["level"] == "bad" for one in found) else 5 if found else 0
        assert done.returncode == expected, (done.returncode, found)
        return found


@pytest.fixture
def stage(longcord, lab):
    """Machines in order: also what Debian's own kernel and a lab without a time server are not."""
    stage = Stage(lab, longcord)
    stage.vm.configure(extra=PREPARED)
    lab.node.run("echo 256 >/sys/module/usbcore/parameters/usbfs_memory_mb")
    for machine in (lab.node, lab.pi):
        machine.python(KEEP_CLOCK)
    yield stage
    stage.vm.configure()


@pytest.mark.more
@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_found_and_nothing_else(stage, lab, name):
    case = BREAKS[name]
    machine = getattr(stage, case.doctor)
    assert stage.doctor(machine) == []
    try:
        case.broken(stage)
        found = lab.wait(lambda: stage.doctor(machine), what="something to be found")
        print(json.dumps(found, indent=1))
    finally:
        case.mended(stage)
    assert [(re.sub(r"usb\d+$", "usb", one["subject"]), one["level"]) for one in found] == [(case.subject, case.level)]
    assert re.search(case.what, found[0]["what"]) and case.todo in found[0]["todo"]
    lab.wait(lambda: stage.doctor(machine) == [], what="it to be gone")


def test_nothing_is_found_while_a_board_is_plugged(stage, longcord, lab):
    stage.vm.ensure_running()
    stage.vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    stage.vm.guest.wait_tty("ttyACM0")
    longcord.wait_state(place, "plugged")
    assert stage.doctor(lab.node) == [] and stage.doctor(lab.pi) == []
    lab.pi.unplug(BOARD)
    stage.vm.guest.wait_no_tty("ttyACM0")
    assert stage.doctor(lab.node) == [] and stage.doctor(lab.pi) == []


@pytest.mark.more
def test_a_hookscript_that_the_other_node_has_not(stage, cluster, lab):
    stage.vm.configure(hookscript=HOOKSCRIPT)
    before = stage.doctor(lab.node2)
    lab.node2.run(f"mv {SCRIPT} /root/")
    try:
        new = [one for one in stage.doctor(lab.node2) if one not in before]
    finally:
        lab.node2.run(f"mv /root/longcord-hookscript {SCRIPT}")
    assert [(one["subject"], one["level"]) for one in new] == [("VM 100", "warning")]
    assert "of node names" in new[0]["what"] and "it could not start here" in new[0]["what"]
    assert "copy it to this node, or on node: qm set 100 --delete hookscript" in new[0]["todo"]
    assert stage.doctor(lab.node2) == before and stage.doctor(lab.node) == []
