# SPDX-License-Identifier: MIT
"""Machines that are no Proxmox VMs, in hotplugger's form: a real QEMU, known by its QMP socket alone."""
import shutil
import signal
import subprocess

import pytest
from host_world import DIES_WITH_US, short_folder, wait

DEVPATH = "/devices/pci0000:00/0000:00:14.0/usb3"


class Machine:
    def __init__(self):
        self.folder = short_folder()
        self.socket = self.folder / "qmp-sock"
        self.process = None

    def start(self, *devices):
        self.process = subprocess.Popen([
            *DIES_WITH_US, "qemu-system-x86_64", "-M", "pc,accel=tcg", "-m", "64", "-nodefaults", "-display", "none",
            *devices, "-qmp", f"unix:{self.socket},server=on,wait=off"])

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder)


XHCI = ["-device", "qemu-xhci,id=xhci0,p2=15,p3=15", "-device", "qemu-xhci,id=xhci1,p2=15,p3=15"]


@pytest.fixture
def machine():
    qemu = Machine()
    yield qemu
    qemu.close()


def host_yaml(world, machine, ports, hubs=()):
    """As hotplugger's README and its shipped file have it, comments, `delay` and all."""
    lines = ["node: pve1", "virtual_machines:", "", "  windows:", f"    socket: {machine.socket}", "    delay: 5",
             "    ports:", *(f"      - {port}" for port in ports)]
    if hubs:
        lines += ["    hubs:", *(f"      - {hub}" for hub in hubs)]
    world.config.write_text("\n".join(lines) + "\n")


def shown(world):
    return {vm["machine"]: vm for vm in world.ask("status")["vms"]}.get("windows")


def begin(world, machine, *args, **kwargs):
    host_yaml(world, machine, *args, **kwargs)
    world.local.plug("3-4", devnum=7)
    world.serve()


def test_a_device_goes_to_the_machine_whose_port_it_is_in(idle_world, machine):
    machine.start(*XHCI)
    begin(idle_world, machine, [f"{DEVPATH}/3-4", "workbench/1-1"])
    board = idle_world.stands("3-4", "QEMU says")
    assert board["machine"] == "windows"
    assert board["vmid"] > 999_999_999
    assert shown(idle_world)["state"] == "running"
    started, = idle_world.events(kind="vm-started", vmid=board["vmid"])
    assert str(machine.process.pid) in started["message"]
    failed = idle_world.says("into VM windows (xhci0.0 port", kind="failed")
    assert str(failed["vmid"]) not in failed["message"]
    status = idle_world.cli("status")
    assert "windows" in status.stdout and str(board["vmid"]) not in status.stdout
    explained = idle_world.cli("explain", "3-4")
    assert "windows" in explained.stdout and str(board["vmid"]) not in explained.stdout
    assert "host.yaml:8" in explained.stdout


def test_it_may_start_later_end_at_any_time_and_come_again(idle_world, machine):
    begin(idle_world, machine, ["3-4"])
    idle_world.stands("3-4", "VM windows (host.yaml:8), which is not running", state="unclaimed")
    assert shown(idle_world)["state"] == "stopped"
    machine.start(*XHCI)
    idle_world.stands("3-4", "QEMU says")
    machine.kill()  # its socket stays behind
    assert machine.socket.exists()
    idle_world.stands("3-4", "which is not running", state="unclaimed")
    machine.start(*XHCI)
    idle_world.stands("3-4", "QEMU says")


def test_its_folder_may_appear_later_too(idle_world, machine):
    machine.folder.rmdir()
    begin(idle_world, machine, ["3-4"])
    idle_world.stands("3-4", "which is not running", state="unclaimed")
    machine.folder.mkdir()
    machine.start(*XHCI)
    idle_world.stands("3-4", "QEMU says")


def test_hubs_are_the_buses_to_use_in_order(idle_world, machine):
    machine.start(*XHCI)
    begin(idle_world, machine, ["3-4"], hubs=["xhci1.0", "xhci0.0"])
    idle_world.says("into VM windows (xhci1.0 port 15)", kind="failed")


def test_a_machine_without_the_buses_of_its_hubs_or_any_is_told_what_is_missing(idle_world, machine):
    machine.start(*XHCI)
    begin(idle_world, machine, ["3-4"], hubs=["nope.0"])
    idle_world.stands("3-4", "VM windows has no xHCI controller with one of the buses that its 'hubs' name (nope.0)",
                      state="refused")
    assert "nope.0" in shown(idle_world)["problem"]
    machine.kill()
    host_yaml(idle_world, machine, ["3-4"])
    idle_world.process.send_signal(signal.SIGHUP)
    machine.start()
    idle_world.stands("3-4", "-device qemu-xhci", state="refused")


def test_a_port_with_a_mistake_is_reported_with_its_line_and_the_rules_from_before_stay(idle_world, machine):
    machine.start(*XHCI)
    begin(idle_world, machine, ["3-4"])
    idle_world.stands("3-4", "QEMU says")
    host_yaml(idle_world, machine, ["3-4", '"3-5 serial="', "3-4"])
    idle_world.process.send_signal(signal.SIGHUP)
    idle_world.says(f"{idle_world.config}:9:21: error:", kind="rules-error")
    idle_world.says(f"{idle_world.config}:10:9: warning: this is line 8 again", kind="rules")
    assert f"{idle_world.config}:9:" in shown(idle_world)["problem"]
    assert idle_world.device("3-4")["machine"] == "windows"


def test_a_reload_adds_changes_and_drops_machines(idle_world, machine):
    idle_world.local.plug("3-4", devnum=7)
    idle_world.serve()
    machine.start(*XHCI)
    host_yaml(idle_world, machine, ["3-4"])
    idle_world.process.send_signal(signal.SIGHUP)
    idle_world.stands("3-4", "QEMU says")
    host_yaml(idle_world, machine, ["3-5"])
    idle_world.process.send_signal(signal.SIGHUP)
    idle_world.stands("3-4", "no rule wants it", state="unclaimed")
    host_yaml(idle_world, machine, ["3-4"])
    idle_world.process.send_signal(signal.SIGHUP)
    idle_world.stands("3-4", "QEMU says")
    idle_world.config.write_text("node: pve1\n")
    idle_world.process.send_signal(signal.SIGHUP)
    idle_world.stands("3-4", "no rule wants it", state="unclaimed")
    wait(lambda: shown(idle_world) is None)


def test_beside_a_proxmox_vm_the_stronger_rule_wins(idle_world, machine):
    machine.start(*XHCI)
    idle_world.rules(100, "3-4\n")
    begin(idle_world, machine, ["3-4 serial=A1"])
    wait(lambda: (idle_world.device("3-4") or {}).get("machine") == "windows")
    idle_world.rules(100, "3-4 serial=A1\n")
    idle_world.stands("3-4", "VM 100 (100.usb.conf:1) and VM windows (host.yaml:8) want it equally", state="conflict")
