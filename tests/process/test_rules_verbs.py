# SPDX-License-Identifier: MIT
"""`longcord rules add|remove|adopt|check` and `vm prepare|unprepare`: no service is needed; /etc/pve is a
folder, and `qm` a script that says what it was asked."""
import json
import os
import subprocess

import pytest
from host_world import World, binary

UUID = "0a1b2c3d-0000-4000-8000-00000000000"


class NoQemu:
    def __init__(self, folder):
        self.run = folder


@pytest.fixture
def node(tmp_path):
    """Nothing runs: neither the service nor a VM."""
    world = World(NoQemu(tmp_path))
    yield world
    world.close()


def config(world, vmid, *lines, node="pve1"):
    folder = world.pve / f"nodes/{node}/qemu-server"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{vmid}.conf").write_text("".join(f"{line}\n" for line in ("name: any", *lines)))
    return folder


# --- add and remove

def test_a_rule_is_added_shown_as_a_diff_and_taken_out_again(node):
    done = node.cli("rules", "add", "100", "3-4")
    assert (done.returncode, node.rules_file(100).read_text()) == (0, "3-4\n"), done.stderr
    assert "+3-4\n" in done.stdout and f"+++ {node.rules_file(100)}" in done.stdout
    done = node.cli("rules", "add", "100", '*/* product="Board #1"')
    assert node.rules_file(100).read_text() == '3-4\n*/* product="Board #1"\n'
    assert " 3-4\n" in done.stdout
    node.cli("rules", "add", "100", "3-5", "class=hid")  # words, as the shell leaves them
    done = node.cli("rules", "remove", "100", "3-4")
    assert "-3-4\n" in done.stdout
    assert node.rules_file(100).read_text() == '*/* product="Board #1"\n3-5 class=hid\n'
    assert [file.name for file in node.rules_file(100).parent.iterdir() if "tmp" in file.name] == []


def test_the_same_rule_is_not_added_twice(node):
    node.rules(100, "3-5\n3-4   10C4:EA60 # that one\n")
    before = node.rules_file(100).read_text()
    done = node.cli("rules", "add", "100", "3-4 10c4:ea60")
    assert (done.returncode, node.rules_file(100).read_text()) == (0, before)
    assert ":2 says that already" in done.stdout
    assert json.loads(node.cli("rules", "add", "100", "3-4 10c4:ea60", "--json").stdout)["changed"] is False


ODD = {
    "as Windows writes it": b"\xef\xbb\xbf# mine\r\n\t3-5\t1A86:55D4\t# five\r\n\r\n  !3-5.2 \r\n",
    "tabs, blanks, a comment in Latin-1": b"# Werkst\xe4tte\n\n\n   3-5    port=5   #x\n#3-4\n\t\n",
    "comments only": b"# nothing yet\n# 3-4\n",
    "nothing": b"",
}


@pytest.mark.parametrize("name", ODD)
def test_what_stands_there_is_kept_to_the_byte_when_a_rule_comes_and_goes(node, name):
    node.rules_file(100).write_bytes(ODD[name])
    end = b"\r\n" if b"\r\n" in ODD[name] else b"\n"
    assert node.cli("rules", "add", "100", "3-4 class=hid").returncode == 0
    assert node.rules_file(100).read_bytes() == ODD[name] + b"3-4 class=hid" + end
    assert node.cli("rules", "check").returncode == 0
    assert node.cli("rules", "remove", "100", "3-4   class=HID").returncode == 0
    assert node.rules_file(100).read_bytes() == ODD[name]


def test_a_last_line_without_an_end_gets_one_and_keeps_its_comment(node):
    node.rules_file(100).write_bytes(b"3-5 # the last")
    assert node.cli("rules", "add", "100", "3-4").returncode == 0
    assert node.rules_file(100).read_bytes() == b"3-5 # the last\n3-4\n"
    assert node.cli("rules", "remove", "100", "3-5").returncode == 0
    assert node.rules_file(100).read_bytes() == b"3-4\n"


def test_a_comment_that_comes_with_a_rule_is_written_and_goes_with_it(node):
    assert node.cli("rules", "add", "100", "3-4  # the scanner").returncode == 0
    assert node.rules_file(100).read_text() == "3-4  # the scanner\n"
    assert node.cli("rules", "remove", "100", "3-4").returncode == 0
    assert node.rules_file(100).read_text() == ""


def test_a_file_with_a_mistake_is_left_alone_and_the_mistake_named(node):
    node.rules(100, "3-5\n3-\n")
    done = node.cli("rules", "add", "100", "3-4")
    assert done.returncode == 1 and f"{node.rules_file(100)}:2:1: error: " in done.stderr
    assert node.rules_file(100).read_text() == "3-5\n3-\n"
    assert node.cli("rules", "remove", "100", "3-").returncode == 0  # which is the way out
    assert node.rules_file(100).read_text() == "3-5\n"


@pytest.mark.parametrize("rule, words", [("3-", "column 1"), ("3-4 colour=red", "column 5"), ("# no", "is no rule"),
                                         ("3-4\n3-5", "one line")])
def test_what_does_not_parse_is_refused_and_nothing_is_written(node, rule, words):
    done = node.cli("rules", "add", "100", rule)
    assert done.returncode == 1 and words in done.stderr, done.stderr
    assert not node.rules_file(100).exists()


def test_a_vm_that_does_not_exist_gets_no_rules(node):
    done = node.cli("rules", "add", "999", "3-4")
    assert done.returncode == 1 and "there is no VM 999" in done.stderr
    assert not node.rules_file(999).exists()
    assert node.cli("rules", "add", "99", "3-4").returncode == 2
    assert node.cli("rules", "add", "windows", "3-4").returncode == 2
    assert node.cli("rules", "add", "100").returncode == 2


def test_a_rule_that_is_not_there_cannot_be_removed(node):
    node.rules(100, "3-4\n")
    done = node.cli("rules", "remove", "100", "3-40", "--json")
    assert done.returncode == 1 and "has no rule" in done.stderr
    assert "3-40" in json.loads(done.stdout)["error"]["message"]


def test_the_rules_of_a_vm_on_another_node_are_written_there(node):
    folder = config(node, 102, node="pve2")
    assert node.cli("rules", "add", "102", "3-4").returncode == 0
    assert (folder / "102.usb.conf").read_text() == "3-4\n"


def test_rules_that_did_not_follow_their_vm_yet_are_changed_where_they_lie(node):
    there = node.pve / "nodes/pve2/qemu-server/100.usb.conf"
    there.parent.mkdir(parents=True)
    there.write_text("3-5\n")
    assert node.cli("rules", "add", "100", "3-4").returncode == 0
    assert there.read_text() == "3-5\n3-4\n"
    assert not node.rules_file(100).exists()


# --- adopt

def intent(world, vmid):
    return json.loads((world.pve / f"longcord/vm/{vmid}.json").read_text())


def test_adopt_makes_the_rules_those_of_the_vm_that_has_the_number_and_keeps_the_rest(node):
    config(node, 100, f"smbios1: uuid={UUID}2")
    file = node.pve / "longcord/vm/100.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"owner": f"{UUID}1", "pins": {"3-4": {"bus": "xhci.0", "port": 5}}}))
    done = node.cli("rules", "adopt", "100")
    assert done.returncode == 0 and f"{UUID}2" in done.stdout and f"{UUID}1" in done.stdout
    assert intent(node, 100)["owner"] == f"{UUID}2"
    assert intent(node, 100)["pins"] == {"3-4": {"bus": "xhci.0", "port": 5}}
    assert "already" in node.cli("rules", "adopt", "100").stdout


def test_a_vm_without_uuid_has_nothing_to_adopt(node):
    done = node.cli("rules", "adopt", "100")
    assert done.returncode == 1 and "no uuid" in done.stderr
    assert node.cli("rules", "adopt", "999").returncode == 1


# --- check

def findings(world, *words):
    done = world.cli("rules", "check", "--json", *words)
    return [(entry["severity"], os.path.basename(entry["file"]), entry["line"], entry["message"])
            for entry in json.loads(done.stdout)["diagnostics"]]


def test_check_says_whose_rules_cannot_be_told_and_which_are_another_vms(node):
    node.rules(100, "3-4\n")
    assert any(entry[0] == "note" and "no uuid" in entry[3] for entry in findings(node))
    config(node, 100, f"smbios1: uuid={UUID}2")
    assert findings(node) == []
    file = node.pve / "longcord/vm/100.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"owner": f"{UUID}1"}))
    assert any(entry[0] == "warning" and "rules adopt 100" in entry[3] for entry in findings(node))


def test_check_finds_a_rule_that_always_loses_with_what_is_plugged_now(node):
    for vmid in (100, 101):
        config(node, vmid, f"smbios1: uuid={UUID}{vmid % 10}")
    node.local.plug("3-4", devnum=7)
    node.rules(100, "3-4\n")
    node.rules(101, "3-4 1a86:55d4\n")
    beaten = [entry for entry in findings(node) if entry[0] == "warning"]
    assert len(beaten) == 1 and beaten[0][1:3] == ("100.usb.conf", 1)
    assert "VM 101" in beaten[0][3] and "101.usb.conf:1" in beaten[0][3]
    node.local.unplug("3-4")
    assert [entry for entry in findings(node) if entry[0] == "warning"] == []


def test_check_finds_a_rule_that_its_own_file_denies(node):
    config(node, 100, f"smbios1: uuid={UUID}0")
    node.rules(100, "!3-4\n3-4.1\n")
    assert any(entry[2] == 2 and "can never win" in entry[3] for entry in findings(node))


def test_check_reads_rules_that_lie_on_another_node(node):
    there = node.pve / "nodes/pve2/qemu-server/100.usb.conf"
    there.parent.mkdir(parents=True)
    there.write_text("3-\n")
    assert any(entry[0] == "error" and entry[1] == "100.usb.conf" for entry in findings(node))
    node.rules(100, "3-4\n")
    assert any("another rules file" in entry[3] for entry in findings(node))


# --- vm prepare

OWN = "-device qemu-xhci,id=longcord,p2=15,p3=15,bus=pci.1,addr=0x1f"


@pytest.fixture
def proxmox(node):
    """`qm` and `pvesm` of the test: qm keeps what it was asked, and sets it in the configuration."""
    tools = node.root / "tools"
    tools.mkdir()
    (tools / "qm").write_text(f"""#!/usr/bin/python3
import sys
words = sys.argv[1:]
open("{tools}/asked", "a").write(repr(words) + "\\n")
assert words[0] == "set"
file = "{node.pve}/qemu-server/" + words[1] + ".conf"
lines = open(file).read().splitlines()
rest = words[2:]
while rest:
    option, value, rest = rest[0], rest[1], rest[2:]
    key = value if option == "--delete" else option[2:]
    lines = [line for line in lines if not line.startswith(key + ":")]
    if option != "--delete":
        lines.insert(0, key + ": " + value)
open(file, "w").write("\\n".join(lines) + "\\n")
""")
    (tools / "pvesm").write_text(f"""#!/bin/sh
case "$2" in local:*) echo "{node.root}/snippets/$(basename "$2")";; *) exit 2;; esac
""")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    node.tools = tools
    return node


def longcord(world, *words, path=None):
    env = {**world.environment(), "PATH": f"{world.tools}:{os.environ['PATH']}" if path is None else path}
    return subprocess.run([binary("longcord"), *words], env=env, timeout=60, capture_output=True, text=True)


def conf(world, vmid):
    return (world.pve / f"qemu-server/{vmid}.conf").read_text()


def test_prepare_merges_into_args_shows_it_and_unprepare_undoes_it(proxmox):
    config(proxmox, 100, "args: -cpu host", "[snap]", "args: -other")
    done = longcord(proxmox, "vm", "prepare", "100")
    assert done.returncode == 0, done.stderr
    assert f"args: -cpu host {OWN}\n" in conf(proxmox, 100)
    assert f"+args: -cpu host {OWN}\n" in done.stdout and "-args: -cpu host\n" in done.stdout
    again = longcord(proxmox, "vm", "prepare", "100")
    assert again.returncode == 0 and "already" in again.stdout
    assert len((proxmox.tools / "asked").read_text().splitlines()) == 1
    done = longcord(proxmox, "vm", "unprepare", "100")
    assert done.returncode == 0 and f"args: -cpu host\n" in conf(proxmox, 100)
    assert OWN not in conf(proxmox, 100)


def test_where_nothing_else_is_left_the_line_goes(proxmox):
    longcord(proxmox, "vm", "prepare", "100")
    assert f"args: {OWN}\n" in conf(proxmox, 100)
    longcord(proxmox, "vm", "unprepare", "100")
    assert "args" not in conf(proxmox, 100)


@pytest.mark.parametrize("args", ["-device e1000,bus=pci.1,addr=0x1f", "-chardev null,id=longcord"])
def test_a_slot_or_an_id_that_is_taken_is_refused_and_named(proxmox, args):
    config(proxmox, 100, f"args: {args}")
    before = conf(proxmox, 100)
    done = longcord(proxmox, "vm", "prepare", "100")
    assert done.returncode == 1 and args in done.stderr
    assert conf(proxmox, 100) == before


def test_the_hookscript_is_placed_before_it_is_named_and_no_other_is_replaced(proxmox):
    source = proxmox.root / "usr/share/longcord/longcord-hookscript"
    source.parent.mkdir(parents=True)
    source.write_text("#!/bin/sh\n")
    source.chmod(0o755)
    done = longcord(proxmox, "vm", "prepare", "100", "--hookscript", "local")
    assert done.returncode == 0, done.stderr
    placed = proxmox.root / "snippets/longcord-hookscript"
    assert placed.stat().st_mode & 0o111
    assert "hookscript: local:snippets/longcord-hookscript\n" in conf(proxmox, 100)
    longcord(proxmox, "vm", "unprepare", "100")
    assert "hookscript" not in conf(proxmox, 100)
    assert longcord(proxmox, "vm", "prepare", "100", "--hookscript", "nfs").returncode == 1
    config(proxmox, 101, "hookscript: local:snippets/mine.pl")
    done = longcord(proxmox, "vm", "prepare", "101", "--hookscript", "local")
    assert done.returncode == 1 and "mine.pl" in done.stderr
    longcord(proxmox, "vm", "unprepare", "101")
    assert "mine.pl" in conf(proxmox, 101)


def test_without_qm_or_on_another_node_it_says_so(proxmox):
    done = longcord(proxmox, "vm", "prepare", "100", path="/nonexistent")
    assert done.returncode == 1 and "qm" in done.stderr
    config(proxmox, 102, node="pve2")
    done = longcord(proxmox, "vm", "prepare", "102")
    assert done.returncode == 1 and "on node pve2" in done.stderr
    assert longcord(proxmox, "vm", "prepare", "999").returncode == 1
