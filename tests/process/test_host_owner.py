# SPDX-License-Identifier: MIT
"""Rules files belong to VMs, wherever they lie, and what is remembered of a VM lies in a file that follows
it. /etc/pve is a folder; QEMU is real."""
import json
import socket

from host_world import wait

UUID = "0a1b2c3d-0000-4000-8000-00000000000"


def config(world, vmid, *lines, node="pve1"):
    """As Proxmox writes one: by rename."""
    folder = world.pve / f"nodes/{node}/qemu-server"
    folder.mkdir(parents=True, exist_ok=True)
    new = world.pve / f"nodes/{vmid}.new"
    new.write_text("".join(f"{line}\n" for line in ("name: any", "memory: 64", *lines)))
    new.rename(folder / f"{vmid}.conf")


def intent(world, vmid):
    file = world.pve / f"longcord/vm/{vmid}.json"
    return json.loads(file.read_text()) if file.exists() else None


def owner(world, vmid):
    return (intent(world, vmid) or {}).get("owner")


# --- whose rules they are

def test_the_vm_that_rules_first_applied_to_is_remembered(world):
    config(world, 100, f"smbios1: uuid={UUID}1")
    world.rules(100, "3-4\n")
    world.stands("3-4", "QEMU says")
    wait(lambda: owner(world, 100) == f"{UUID}1")


def test_rules_do_not_apply_to_another_vm_of_the_same_number_until_they_are_adopted(world):
    config(world, 100, f"smbios1: uuid={UUID}1")
    world.rules(100, "3-4\n")
    wait(lambda: owner(world, 100) == f"{UUID}1")
    config(world, 100, f"smbios1: uuid={UUID}2")
    world.stands("3-4", "no rule wants it", state="unclaimed")
    assert "longcord rules adopt 100" in world.vm(100)["problem"]
    assert f"{UUID}1" in world.vm(100)["problem"]
    world.crash()  # and a restart forgets nothing
    world.serve()
    wait(lambda: world.vm(100) and "adopt" in world.vm(100)["problem"])
    world.stands("3-4", "no rule wants it", state="unclaimed")
    adopted = intent(world, 100) | {"owner": f"{UUID}2"}
    (world.pve / "longcord/vm/100.json").write_text(json.dumps(adopted))
    world.stands("3-4", "QEMU says")
    assert world.vm(100)["problem"] == ""


def test_a_vm_without_uuid_has_no_such_check(world):
    config(world, 100, f"smbios1: uuid={UUID}1")
    world.rules(100, "3-4\n")
    wait(lambda: owner(world, 100) == f"{UUID}1")
    config(world, 100)
    world.rules(100, "3-4 serial=A1\n")
    wait(lambda: world.ask("explain", place="3-4")["rules"][0]["rule"] == "3-4 serial=A1")
    world.stands("3-4", "QEMU says")
    assert world.vm(100)["problem"] == ""


def test_rules_that_are_gone_belong_to_nobody(world):
    config(world, 100, f"smbios1: uuid={UUID}1")
    world.rules(100, "3-4\n")
    wait(lambda: owner(world, 100) == f"{UUID}1")
    world.rules_file(100).unlink()
    wait(lambda: owner(world, 100) == "")
    config(world, 100, f"smbios1: uuid={UUID}2")
    world.rules(100, "3-4\n")
    world.stands("3-4", "QEMU says")
    wait(lambda: owner(world, 100) == f"{UUID}2")


# --- where they lie

def rules_elsewhere(world, vmid, text, node="pve2"):
    folder = world.pve / f"nodes/{node}/qemu-server"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{vmid}.usb.conf").write_text(text)
    return folder / f"{vmid}.usb.conf"


def test_rules_follow_their_vm_to_this_node(world):
    there = rules_elsewhere(world, 100, "3-4\n")
    world.stands("3-4", "QEMU says")
    wait(lambda: not there.exists())
    assert world.rules_file(100).read_text() == "3-4\n"
    world.says("followed its VM to this node", vmid=100)
    world.stands("3-4", "QEMU says")


def test_while_the_vm_is_locked_they_are_read_where_they_lie(world):
    config(world, 101, "lock: migrate")
    there = rules_elsewhere(world, 101, "3-4 serial=A1\n")
    wait(lambda: world.vm(101))
    verdicts = wait(lambda: world.ask("explain", place="3-4")["rules"])
    assert verdicts[0]["file"] == str(there)
    assert there.exists()
    config(world, 101)
    wait(lambda: not there.exists() and world.rules_file(101).exists())
    wait(lambda: world.ask("explain", place="3-4")["rules"][0]["file"] == str(world.rules_file(101)))


def test_without_quorum_nothing_is_moved(world):
    members = {"cluster": {"name": "lab", "nodes": 2, "quorate": 0}}
    (world.pve / ".members").write_text(json.dumps(members))
    there = rules_elsewhere(world, 100, "3-4\n")
    world.stands("3-4", "QEMU says")
    assert there.exists()
    members["cluster"]["quorate"] = 1
    (world.pve / ".members").write_text(json.dumps(members))
    wait(lambda: not there.exists())


def test_of_two_files_the_one_of_this_node_counts_and_the_other_is_reported(world):
    world.rules(100, "3-4\n")
    there = rules_elsewhere(world, 100, "3-5\n")
    wait(lambda: f"{there} is another rules file of VM 100" in (world.vm(100) or {}).get("problem", ""))
    world.stands("3-4", "QEMU says")
    assert there.exists()
    there.unlink()
    wait(lambda: world.vm(100)["problem"] == "")


def test_rules_of_a_vm_of_another_node_are_no_orphans(world):
    config(world, 102, node="pve2")
    world.rules(102, "3-4\n")
    wait(lambda: world.vm(102))
    assert (world.vm(102)["state"], world.vm(102)["problem"]) == ("on another node", "")


# --- what outlives a restart

def test_a_file_that_does_not_parse_keeps_the_rules_from_before_over_a_restart(world):
    world.rules(100, "3-4\n")
    copy = world.root / "var/lib/longcord/rules/100.usb.conf"
    wait(copy.exists)
    assert copy.stat().st_mode & 0o777 == 0o600
    world.stands("3-4", "QEMU says")
    world.rules(100, "3-4\n3-\n")
    world.says("the rules from before stay in force", vmid=100)
    world.crash()
    world.serve()
    world.says("the rules from before stay in force", vmid=100)
    world.stands("3-4", "QEMU says")
    assert f"{world.rules_file(100)}:2:" in world.vm(100)["problem"]
    world.rules_file(100).unlink()  # and a file that is gone takes them
    world.stands("3-4", "no rule wants it", state="unclaimed")
    wait(lambda: not copy.exists())


class Monitor:
    """A client of the QEMU all tests share."""

    def __init__(self, qemu):
        self.path = str(qemu.run / "100.qmp")

    def do(self, command, **arguments):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(self.path)
            lines = client.makefile()
            lines.readline()
            for number, request in enumerate((("qmp_capabilities", {}), (command, arguments))):
                client.sendall(json.dumps({"execute": request[0], "arguments": request[1], "id": number}).encode())
                while (reply := json.loads(lines.readline())).get("id") != number:
                    pass
            return reply


def test_the_guest_port_of_a_place_is_remembered_by_its_controller(world, qemu):
    monitor = Monitor(qemu)
    added = monitor.do("device_add", driver="usb-host", id="usbhost3-4", bus="xhci.0", port="5", hostbus=3,
                       hostport="4")
    assert "return" in added, added
    try:
        world.crash()
        world.rules(100, "3-4\n")
        world.serve()
        pin = {"pci-0000:00:14.0/4": {"bus": "xhci.0", "port": 5}}
        wait(lambda: (intent(world, 100) or {}).get("pins") == pin, lambda: intent(world, 100))
    finally:
        monitor.do("device_del", id="usbhost3-4")


def test_what_cannot_be_written_is_kept_and_written_later(world):
    (world.pve / "longcord").write_text("")  # no folder can be made here
    config(world, 100, f"smbios1: uuid={UUID}1")
    world.rules(100, "3-4\n")
    world.says("kept in memory", kind="warning", vmid=100)
    assert "kept in memory" in world.vm(100)["problem"]
    world.stands("3-4", "QEMU says")
    (world.pve / "longcord").unlink()
    wait(lambda: owner(world, 100) == f"{UUID}1")
    wait(lambda: world.vm(100)["problem"] == "")


def test_an_intent_that_is_no_json_is_reported_and_costs_nothing_else(world):
    file = world.pve / "longcord/vm/100.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    world.says("it is not used", kind="warning", vmid=100)
    world.rules(100, "3-4\n")
    world.stands("3-4", "QEMU says")
