# SPDX-License-Identifier: MIT
"""What a person does by hand: attach, detach, resume, vm quiesce; and the numbers of `metrics`.
QEMU is real and has no device node to open, so "QEMU says" is as far as a plug gets here."""
import json
import re
import shutil
import signal
import subprocess

import pytest
from host_world import DIES_WITH_US, World, binary, short_folder, wait
from played_pi import PlayedPi, device

BY_CONTROLLER = "pci-0000:00:14.0/4"


def intent(world, vmid):
    file = world.pve / f"longcord/vm/{vmid}.json"
    return json.loads(file.read_text()) if file.exists() else {}


def test_attach_needs_no_rule_and_outlives_a_restart_until_resume(world):
    done = world.cli("attach", "3-4", "100")
    assert done.returncode == 5 and "QEMU says" in done.stdout, done
    assert world.device("3-4")["vmid"] == 100
    wait(lambda: intent(world, 100).get("attached") == [BY_CONTROLLER], lambda: intent(world, 100))
    world.crash()
    world.serve()
    world.stands("3-4", "QEMU says")
    done = world.cli("resume", "3-4")
    assert done.returncode == 0 and "the rules decide again" in done.stdout
    world.stands("3-4", "no rule wants it", state="unclaimed")
    wait(lambda: intent(world, 100).get("attached") == [])
    assert "decide already" in world.cli("resume", "3-4").stdout


def test_resume_of_what_fails_tries_it_anew_and_says_that_the_rules_decided_before(world):
    world.rules(100, "3-4\n")
    world.stands("3-4", "QEMU says")
    done = world.cli("resume", "3-4").stdout
    assert "the rules decide already; tried anew" in done, done
    world.stands("3-4", "QEMU says")
    done = json.loads(world.cli("resume", "3-4", "--json").stdout)
    assert (done["changed"], done["tried_anew"]) == (False, True)


def test_detach_is_stronger_than_every_rule_until_resume(world):
    world.rules(100, "3-4 serial=A1\n")
    world.stands("3-4", "QEMU says")
    done = world.cli("detach", BY_CONTROLLER)
    assert done.returncode == 0 and "detached by hand" in done.stdout, done
    world.stands("3-4", "detached by hand", state="unclaimed")
    wait(lambda: intent(world, 100).get("detached") == [BY_CONTROLLER])
    world.crash()
    world.serve()
    world.stands("3-4", "detached by hand", state="unclaimed")
    assert "detached by hand" in world.cli("explain", "3-4").stdout
    assert world.cli("resume", "3-4").returncode == 0
    world.stands("3-4", "QEMU says")


def by_hand(world):
    return [(hand["name"], hand["place"], hand["done"], hand["vmid"]) for hand in world.ask("status")["by_hand"]]


def test_status_lists_what_was_done_by_hand_until_resume_also_of_a_device_that_is_gone(world):
    world.rules(100, "3-4\n")
    world.stands("3-4", "QEMU says")
    assert world.cli("detach", "3-4").returncode == 0
    assert by_hand(world) == [(BY_CONTROLLER, "3-4", "detached", 100)]
    world.local.unplug("3-4")
    wait(lambda: by_hand(world) == [(BY_CONTROLLER, None, "detached", 100)], lambda: by_hand(world))
    shown = world.cli("status").stdout
    assert "Until `longcord resume PLACE`" in shown and BY_CONTROLLER in shown
    told = world.cli("resume", "3-4")  # of a bus with nothing plugged in nobody knows the controller
    assert told.returncode == 1 and f"longcord resume {BY_CONTROLLER}" in told.stderr
    world.local.plug("3-5", devnum=9)
    wait(lambda: world.device("3-5"))
    told = world.cli("resume", "3-4")
    assert told.returncode == 0 and "the rules decide again" in told.stdout
    assert by_hand(world) == []
    world.local.plug("3-4", devnum=10)
    world.stands("3-4", "QEMU says")


def vm_config(world, vmid, *lines, node="pve1"):
    """As Proxmox writes one: by rename."""
    folder = world.pve / f"nodes/{node}/qemu-server"
    folder.mkdir(parents=True, exist_ok=True)
    new = world.pve / f"nodes/{vmid}.new"
    new.write_text("".join(f"{line}\n" for line in ("name: any", "memory: 64", *lines)))
    new.rename(folder / f"{vmid}.conf")


def test_a_port_of_another_node_is_no_port_here_though_it_has_the_same_name(world):
    """Nodes of one make have the same controllers. A Pi's device is one and the same everywhere."""
    world.rules(100, "3-4\nworkbench\n")
    vm_config(world, 102, node="pve2")
    written = world.pve / "longcord/vm/102.json"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(json.dumps({"detached": [BY_CONTROLLER, "workbench/platform-fe9c0000.xhci/1"]}))
    pi = PlayedPi(world, "workbench", [device("1-1")])
    world.stands("workbench/1-1", "detached by hand", state="unclaimed")
    world.stands("3-4", "QEMU says")
    told = world.cli("resume", "workbench/1-1")
    assert told.returncode == 1 and "VM 102, which is on another node" in told.stderr
    (world.pve / "nodes/pve2/qemu-server/102.conf").unlink()  # a VM that was destroyed keeps nothing from others
    wait(lambda: "detached by hand" not in world.device("workbench/1-1")["why"])
    pi.close()


def test_a_new_vm_of_that_number_inherits_nothing_that_was_done_by_hand(world):
    uuid = "0a1b2c3d-0000-4000-8000-00000000000"
    vm_config(world, 100, f"smbios1: uuid={uuid}1")
    world.cli("attach", "3-4", "100")
    wait(lambda: intent(world, 100).get("by_hand_for") == f"{uuid}1", lambda: intent(world, 100))
    vm_config(world, 100, f"smbios1: uuid={uuid}2")
    world.says("what was attached and detached by hand is forgotten", kind="by-hand", vmid=100)
    world.stands("3-4", "no rule wants it", state="unclaimed")
    wait(lambda: intent(world, 100).get("attached") == [])
    assert intent(world, 100)["by_hand_for"] == ""


@pytest.mark.parametrize("words, code, text", [
    (("attach", "3-9", "100"), 1, "nothing is plugged in at 3-9"), (("attach", "3-4", "999"), 1, "does not run"),
    (("attach", "3-4", "nobody"), 2, "neither a VMID nor a machine"), (("attach", "3-", "100"), 2, "no place"),
    (("attach", "3-4"), 2, "VM is required"), (("detach", "3-4"), 1, "no VM has 3-4 and no rule wants it"),
    (("resume", "3-"), 2, "no place"), (("vm", "quiesce", "999"), 1, "does not run")])
def test_what_cannot_be_done_is_said(world, words, code, text):
    done = world.cli(*words)
    assert (done.returncode, text in done.stderr) == (code, True), done


def test_the_guards_hold_by_hand_too_but_for_force(world):
    new = world.pve / "nodes/pve1/101.new"
    new.write_text("name: office\nusb0: host=3-4\n")
    new.rename(world.pve / "qemu-server/101.conf")
    wait(lambda: "names it" in world.cli("attach", "3-4", "100").stdout)
    assert world.device("3-4")["state"] == "refused"
    done = world.cli("attach", "3-4", "100", "--force")
    assert "QEMU says" in done.stdout


# --- quiesce

def test_quiesce_runs_the_command_meanwhile_and_ends_with_its_code(world):
    seen = world.root / "seen"
    done = world.cli("vm", "quiesce", "100", "--", "sh", "-c",
                     f"{binary('longcord')} status --json > {seen}; exit 7")
    assert done.returncode == 7, done
    assert "quiesced" in json.loads(seen.read_text())["vms"][0]["problem"]
    assert world.events(kind="quiesced", vmid=100)[-1]["message"].endswith("released")


def test_a_hold_ends_with_the_process_that_wanted_it(world):
    world.rules(100, "3-4\n")
    world.stands("3-4", "QEMU says")
    client = subprocess.Popen([*DIES_WITH_US, binary("longcord"), "vm", "quiesce", "100"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, env=world.environment())
    world.stands("3-4", "which is quiesced", state="unclaimed")
    assert "quiesced" in world.vm(100)["problem"]
    other = world.cli("vm", "quiesce", "100", "--", "true")
    assert other.returncode == 1 and "quiesced already" in other.stderr
    client.kill()
    client.wait()
    world.stands("3-4", "QEMU says")
    world.says("the process that wanted it has ended", kind="quiesced", vmid=100)


# --- a device that comes and goes

def flap(world, times):
    """Pulls the board out and plugs it in again; each time the service has seen it."""
    for devnum in range(20, 20 + times):
        world.local.unplug("3-4")
        wait(lambda: world.device("3-4") is None)
        world.local.plug("3-4", devnum=devnum)
        wait(lambda: (world.device("3-4") or {}).get("devnum") == devnum)


def test_a_device_that_comes_and_goes_is_held_off_until_somebody_says_so(world):
    world.rules(100, "3-4\n")
    world.stands("3-4", "QEMU says")
    flap(world, 5)
    world.stands("3-4", "QEMU says")  # six times in 30 s, with the first, is normal
    flap(world, 2)
    held = world.stands("3-4", "it comes and goes: check cable and power", state="held_off")
    assert held["vmid"] == 100
    told = world.says("it comes and goes", kind="held_off", place="3-4")
    assert told["vmid"] == 100
    assert "held off" in world.cli("status").stdout
    assert "quiet for a while" in world.ask("explain", place="3-4")["next"]
    done = world.cli("resume", "3-4")
    assert done.returncode == 0, done
    world.stands("3-4", "QEMU says")


# --- metrics

def numbers(text):
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
            if not line.startswith("#")}


def test_metrics_are_prometheus_text(world):
    world.rules(100, "3-4\n")
    world.stands("3-4", "QEMU says")
    text = world.cli("metrics").stdout
    values = numbers(text)
    assert values['longcord_devices{state="waiting"}'] + values['longcord_devices{state="plugging"}'] == 1
    assert values['longcord_failures_total{step="plugged"}'] >= 1
    assert values['longcord_steps_total{step="plugged"}'] == 0
    assert values['longcord_vhci_ports{speed="high",state="free"}'] == 8
    assert values['longcord_vhci_ports{speed="super",state="used"}'] == 0
    assert values["longcord_qmp_hold_seconds_count"] >= 2
    assert values['longcord_qmp_hold_seconds_bucket{le="+Inf"}'] == values["longcord_qmp_hold_seconds_count"]
    assert 0 <= values["longcord_qmp_hold_longest_seconds"] < 1
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) longcord_\w+ .*|longcord_\w+(\{(\w+="[^"]*",?)+\})? \S+', line), line
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


# --- controllers

class BareQemu:
    """VM 100 without any USB controller, with the bridge that Proxmox' machines have."""

    def __init__(self, *devices):
        self.folder = short_folder()
        self.run = self.folder / "qemu-server"
        self.run.mkdir()
        self.process = subprocess.Popen([
            *DIES_WITH_US, "qemu-system-x86_64", "-M", "pc,accel=tcg", "-m", "64", "-nodefaults", "-display", "none",
            *devices, "-pidfile", str(self.run / "100.pid"), "-qmp", f"unix:{self.run}/100.qmp,server=on,wait=off"])
        wait(lambda: (self.run / "100.qmp").exists() and (self.run / "100.pid").exists())

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


BRIDGE = ("-device", "pci-bridge,id=pci.1,chassis_nr=1,bus=pci.0,addr=0x1e")


@pytest.fixture
def bare(request):
    qemu = BareQemu(*request.param)
    node = World(qemu)
    node.local.plug("3-4", devnum=7)
    node.rules(100, "3-4\n")
    yield node
    node.close()
    qemu.close()


@pytest.mark.parametrize("bare", [BRIDGE], indirect=True)
def test_a_vm_without_controller_is_told_what_to_do_and_nothing_is_added(bare):
    bare.serve()
    bare.stands("3-4", "longcord vm prepare 100", state="refused")
    assert "longcord vm prepare 100" in bare.vm(100)["problem"]
    assert not bare.events(kind="controller-added")


@pytest.mark.parametrize("bare", [BRIDGE], indirect=True)
def test_hot_add_gives_it_one_where_it_is_allowed_and_marks_the_vm(bare):
    bare.serve()
    bare.stands("3-4", "longcord vm prepare 100", state="refused")
    bare.config.write_text("node: pve1\ncontrollers: { hot_add: true }\n")
    bare.process.send_signal(signal.SIGHUP)
    bare.stands("3-4", "QEMU says")
    assert len(bare.events(kind="controller-added", vmid=100)) == 1
    bare.says("(longcord.0 port 15)", kind="failed")
    assert "cannot be migrated" in bare.vm(100)["problem"]
    bare.crash()
    bare.serve()  # seen from QEMU alone
    wait(lambda: "cannot be migrated" in (bare.vm(100) or {}).get("problem", ""))


@pytest.mark.parametrize("bare", [()], indirect=True)
def test_where_it_cannot_be_added_that_is_said(bare):
    bare.config.write_text("node: pve1\ncontrollers: { hot_add: true }\n")
    bare.serve()
    bare.stands("3-4", "no USB controller could be added", state="refused")
    assert "pci.1" in bare.device("3-4")["why"]
