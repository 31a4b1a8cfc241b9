# SPDX-License-Identifier: MIT
"""longcord-host as systemd, an admin and QEMU meet it: start and stop, the command line, rules with
mistakes in them, and devices that QEMU cannot open. QEMU is real; /sys and /etc/pve are folders."""
import json
import socket

import pytest
from host_world import wait
from played_pi import PlayedPi, UsbipServer, device

EX_CONFIG = 78
DEGRADED = 5


def devid(busid, devnum=3):
    return int(busid.split("-")[0]) << 16 | devnum


@pytest.fixture
def imported(world):
    """A board of the Pi "workbench" on vhci port 0. QEMU cannot open it: there is no device node."""
    server = UsbipServer()
    server.serve("1-1.2")
    world.vhci.devices[devid("1-1.2")] = {}
    world.rules(100, "workbench/1-1.2\n")
    pi = PlayedPi(world, "workbench", [device("1-1.2")], server.port)
    world.stands("workbench/1-1.2", "QEMU says")
    yield world
    pi.close()
    server.close()


# --- start and stop

def test_a_good_configuration_is_said_to_be_good(idle_world):
    assert idle_world.start("--check-config").wait(30) == 0
    assert "good" in idle_world.log.read_text()


@pytest.mark.parametrize("arguments", [["--check-config"], []])
def test_a_bad_configuration_ends_with_78_and_names_the_line(idle_world, arguments):
    idle_world.config.write_text("node: pve1\ndead_aftr: 3s\n")
    assert idle_world.start(*arguments).wait(30) == EX_CONFIG
    assert f"{idle_world.config}:2: unknown key 'dead_aftr'" in idle_world.log.read_text()


def test_sigterm_ends_it_with_0_and_leaves_every_import_where_it_is(imported):
    assert imported.stop() == 0
    assert imported.vhci.detached == []
    assert imported.vhci.used[0][4] == "5-1"
    assert not (imported.root / "run/longcord/host.sock").exists()
    assert imported.cli("status").returncode == 3


def view(world):
    return {entry["place"]: (entry["id"], entry["state"], entry["vmid"], entry["why"])
            for entry in world.ask("devices")["devices"]}


def test_killed_and_started_again_it_sees_the_same_and_imports_nothing_anew(imported):
    before = wait(lambda: "QEMU says" in str(view(imported)["workbench/1-1.2"]) and view(imported))
    attached = list(imported.vhci.attached)
    imported.crash()
    imported.serve()
    imported.says("found on vhci port 0 (5-1)", kind="adopted", place="workbench/1-1.2")
    pi = PlayedPi(imported, "workbench", [device("1-1.2")])  # longcord-link connects again
    wait(lambda: view(imported) == before, lambda: (before, view(imported)))
    assert imported.vhci.attached == attached
    assert imported.vhci.detached == []
    pi.close()


def test_killed_between_attach_and_enumeration_the_port_is_still_its_own(world):
    server = UsbipServer()
    server.serve("1-1.2")
    world.rules(100, "workbench/1-1.2\n")
    pi = PlayedPi(world, "workbench", [device("1-1.2")], server.port)
    wait(lambda: world.vhci.attached)  # and never enumerated
    world.crash()
    assert world.vhci.used[0][0] == 5
    world.serve()
    world.says("vhci port 0", kind="adopted", place="workbench/1-1.2")
    world.says("from vhci port 0", kind="detached", place="workbench/1-1.2")  # no Pi, no device
    assert world.vhci.detached == [0]
    pi.close()
    server.close()


def test_root_hubs_of_vhci_authorise_nothing_by_themselves(world):
    for bus in (5, 6):
        hub = world.vhci.hub(bus)
        for name in ("authorized_default", "interface_authorized_default"):
            wait(lambda: (hub / name).read_text() == "0\n")
        wait(lambda: (hub / f"{bus}-0:1.0/usb{bus}-port8/quirks").read_text() == "3\n")


# --- an import, down to the files of the kernel

def test_an_import_is_recorded_attached_and_authorised(imported):
    (port, sockfd, number, speed), = imported.vhci.attached
    assert (port, number, speed) == (0, devid("1-1.2"), 2)
    record = json.loads((imported.root / "run/longcord/vhci/0").read_text())
    assert (record["place"], record["sockfd"]) == ("workbench/1-1.2", sockfd)
    assert (imported.root / "run/vhci_hcd/port0").read_text().endswith(" 1-1.2\n")
    folder = imported.vhci.hub(5) / "5-1"
    assert (folder / "authorized").read_text() == "1\n"
    assert (folder / "5-1:1.1/authorized").read_text() == "1\n"
    kinds = [event["kind"] for event in imported.events(place="workbench/1-1.2")]
    assert kinds.index("imported") < kinds.index("authorised") < kinds.index("failed")


def test_a_rule_that_goes_takes_the_import_with_it(imported):
    imported.rules(100, "# nothing\n")
    imported.stands("workbench/1-1.2", "no rule wants it", state="unclaimed")
    assert imported.vhci.detached == [0]
    assert not (imported.root / "run/longcord/vhci/0").exists()
    assert not (imported.root / "run/vhci_hcd/port0").exists()


def test_another_device_than_the_announced_one_is_not_authorised(world):
    server = UsbipServer()
    server.serve("1-1.2")
    world.vhci.devices[devid("1-1.2")] = {"idVendor": "046d", "idProduct": "c31c"}  # a keyboard
    world.rules(100, "workbench\n")
    pi = PlayedPi(world, "workbench", [device("1-1.2")], server.port)
    world.stands("workbench/1-1.2", "it is 046d:c31c, announced was 1a86:55d4", state="refused")
    assert (world.vhci.hub(5) / "5-1/authorized").read_text() == "0\n"
    pi.close()
    server.close()


# --- the command line

def test_status_devices_explain_and_events_answer_the_command_line(imported):
    imported.rules(101, "3-5\n")
    imported.says("1 rules in force", vmid=101)
    for words, texts in {
            ("status",): ["longcord-host", "on pve1", "workbench", "workshop", "workbench/1-1.2"],
            ("devices",): ["3-4", "1a86:55d4", "USB Single Serial", "workbench/1-1.2"],
            ("explain", "workbench/1-1.2"): ["100.usb.conf:1", "101.usb.conf:1", "wins"],
            ("events",): ["imported", "authorised", "linked from 127.0.0.1"]}.items():
        text = imported.cli(*words)
        assert text.returncode in (0, DEGRADED), text.stderr
        for part in texts:
            assert part in text.stdout, words
        as_json = imported.cli(*words, "--json")
        assert isinstance(json.loads(as_json.stdout), dict)
    explained = json.loads(imported.cli("explain", "workbench/1-1.2", "--json").stdout)
    assert explained["winner"] == {"vmid": 100, "line": 1}
    assert explained["device"]["id"] == "1a86:55d4"
    events = json.loads(imported.cli("events", "--json").stdout)["events"]
    assert any(event["kind"] == "imported" and event["took_ms"] >= 0 for event in events)


def test_a_place_is_known_by_its_controller_too(imported):
    for name, place in {"pci-0000:00:14.0/4": "3-4",
                        "workbench/platform-fe9c0000.xhci/1.2": "workbench/1-1.2"}.items():
        assert imported.ask("explain", place=name)["place"] == place


def test_what_it_cannot_answer_it_says(world):
    nowhere = world.cli("explain", "3-")
    assert nowhere.returncode == 2
    assert '"3-" is no place' in nowhere.stderr
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(world.root / "run/longcord/host.sock"))
        client.sendall(b'{"verb":"dance"}\n')
        answer = json.loads(client.makefile().readline())
    assert not answer["ok"]
    assert "dance" in answer["error"]["message"]


# --- rules with mistakes in them

def test_a_broken_line_keeps_the_rules_from_before_and_touches_no_other_vm(world):
    world.rules(100, "3-4\n")
    world.stands("3-4", "QEMU says")
    world.rules(100, "workbench\n3-\n3-7\n")
    where = f"{world.rules_file(100)}:2:"
    world.says(where, kind="rules-error", vmid=100)
    world.says("the rules from before stay in force", vmid=100)
    assert where in world.vm(100)["problem"]
    status = world.cli("status")
    assert status.returncode == DEGRADED
    assert where in " ".join(status.stdout.split())
    world.rules(101, "3-4 class=hid\n")
    world.says("1 rules in force", vmid=101)
    explained = world.ask("explain", place="3-4")
    assert [(rule["vmid"], rule["rule"]) for rule in explained["rules"]] == [
        (100, "3-4"), (101, "3-4 class=hid")]
    assert explained["winner"] == {"vmid": 100, "line": 1}
    assert world.vm(101)["problem"] == ""
    world.rules(100, "3-4\n3-7\n")
    world.says("2 rules in force", vmid=100)
    assert world.vm(100)["problem"] == ""


def test_a_file_that_is_broken_from_the_start_leaves_the_other_vms_theirs(idle_world):
    idle_world.local.plug("3-4", devnum=7)
    idle_world.rules(101, "3-4 serial=\"A1\n")
    idle_world.rules(100, "3-4\n")
    idle_world.serve()
    idle_world.stands("3-4", "QEMU says")
    idle_world.says("no rules apply until the file is mended", vmid=101)
    assert f"{idle_world.rules_file(101)}:1:" in idle_world.vm(101)["problem"]
    assert idle_world.vm(100)["problem"] == ""


def test_rules_of_a_vm_that_does_not_exist_are_reported(world):
    world.rules(999, "3-4\n")
    wait(lambda: world.vm(999), lambda: world.ask("status"))
    assert world.vm(999)["problem"] == f"{world.rules_file(999)}: there is no VM 999"
    assert world.vm(999)["state"] == "no such VM"
    status = world.cli("status")
    assert status.returncode == DEGRADED
    assert "there is no VM 999" in " ".join(status.stdout.split())


# --- what QEMU says

def test_a_device_without_node_waits_with_what_qemu_says(world):
    world.rules(100, "3-4\n")
    node = world.root / "dev/bus/usb/003/007"
    board = world.stands("3-4", f"failed to open {node}")
    assert "QEMU says" in board["why"] and "No such file or directory" in board["why"]
    assert (board["vmid"], world.vm(100)["plugged"]) == (100, 0)
    world.says(f"failed to open {node}", kind="failed", place="3-4", vmid=100)
    assert f"failed to open {node}" in world.ask("explain", place="3-4")["outcome"]


def test_a_node_that_is_no_device_is_refused_in_other_words(world):
    node = world.root / "dev/bus/usb/003/007"
    node.parent.mkdir()
    node.write_text("")
    world.rules(100, "3-4\n")
    world.stands("3-4", "QEMU says: failed to open host usb device")


def test_a_device_that_leaves_and_another_that_comes_are_told_apart(world):
    world.rules(100, "3-4\n")
    world.stands("3-4", "003/007")
    world.local.unplug("3-4")
    wait(lambda: world.device("3-4") is None)
    world.local.plug("3-4", devnum=8)
    world.stands("3-4", "003/008")


def test_a_device_that_goes_while_it_is_being_read_does_not_come_back(world):
    """A board that boots again and again is gone before its strings are read."""
    for port in range(20, 220):
        world.local.plug(f"3-{port}", devnum=port)
        world.local.unplug(f"3-{port}")
    world.local.plug("3-9", devnum=5)
    wait(lambda: world.device("3-9"))  # all that happened before was noticed
    wait(lambda: [entry["place"] for entry in world.ask("devices")["devices"]] == ["3-4", "3-9"],
         lambda: world.ask("devices"))
