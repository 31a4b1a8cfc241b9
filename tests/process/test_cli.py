# SPDX-License-Identifier: MIT
"""The command line as a user meets it: words, columns, exit codes. The binary is in
$LONGCORD_BIN (a folder); the service is a fake that answers with what a real one would say."""
import json
import os
import pty
import re
import select
import signal
import subprocess
from pathlib import Path

import pytest
from control_fake import FakeService

REPOSITORY = Path(__file__).resolve().parents[2]
DONE, FAILED, USAGE, NOT_RUNNING, REFUSED, DEGRADED = range(6)


def binary():
    folder = os.environ.get("LONGCORD_BIN")
    if folder:
        return str(Path(folder) / "longcord")
    for preset in ("asan", "debug", "release"):
        path = REPOSITORY / "build" / preset / "bin" / "longcord"
        if path.exists():
            return str(path)
    pytest.fail("no longcord: build it, or set LONGCORD_BIN to the folder it is in")


def device(place, state, **more):
    return {"place": place, "controller": "pci-0000:00:14.0", "id": "1a86:55d4",
            "product": "USB Single Serial", "serial": "5435010345", "manufacturer": "QinHeng",
            "class": 2, "speed": "12 Mbit/s", "hub": False, "pi": place.split("/")[0] if "/" in place else "",
            "state": state, "vmid": None, "guest_port": None, "in_use_by_guest": False, "why": "",
            **more}


DEVICES = [
    device("3-4", "hub", id="0bda:5411", product="USB2.1 Hub", serial="", hub=True, **{"class": 9}),
    device("3-4.1", "waiting", vmid=101, why="VM 101 is not running"),
    device("workbench/1-1.2", "plugged", vmid=100, guest_port=15, in_use_by_guest=True),
    device("workbench/1-1.3", "conflict", why="VM 100 and VM 101 claim it with equal strength "
           "(100.usb.conf:2, 101.usb.conf:1); make one rule more specific"),
]
HOST = {
    "role": "host", "node": "pve1", "version": "0.1.0",
    "pis": [{"name": "workbench", "linked": True, "address": "10.77.0.2", "since_s": 11520,
             "rtt_ms": 1.23, "devices": 2, "problem": ""},
            {"name": "attic", "linked": False, "address": None, "since_s": 190, "rtt_ms": None,
             "devices": 0, "problem": ""}],
    "vms": [{"vmid": 100, "name": "win11", "state": "running", "plugged": 1, "problem": ""}],
    "devices": DEVICES, "problems": [],
}
EVENTS = [
    {"seq": 1, "time": "2026-03-01T12:00:00.123Z", "kind": "appeared", "place": "workbench/1-1.2",
     "vmid": None, "pi": "workbench", "message": "1a86:55d4 USB Single Serial", "took_ms": None},
    {"seq": 2, "time": "2026-03-01T12:00:00.157Z", "kind": "imported", "place": "workbench/1-1.2",
     "vmid": 100, "pi": "workbench", "message": "on vhci port 0", "took_ms": 34},
    {"seq": 3, "time": "2026-03-01T12:00:00.699Z", "kind": "plugged", "place": "workbench/1-1.2",
     "vmid": 100, "pi": "workbench", "message": "xhci.0 port 15", "took_ms": 512},
]
EXPLAIN = {
    "place": "workbench/1-1.2", "device": DEVICES[2],
    "rules": [
        {"vmid": 101, "file": "/etc/pve/qemu-server/101.usb.conf", "line": 1, "rule": "3-4",
         "verdict": "no_match", "reason": "the place is on the Pi workbench"},
        {"vmid": 100, "file": "/etc/pve/qemu-server/100.usb.conf", "line": 2,
         "rule": "workbench/1-1.2", "verdict": "matches", "reason": "the place is covered"},
        {"vmid": 102, "file": "/etc/pve/qemu-server/102.usb.conf", "line": 1, "rule": "workbench",
         "verdict": "matches", "reason": "the place is covered"}],
    "winner": {"vmid": 100, "line": 2},
    "outcome": "VM 100 wins: its rule has the longer place.",
    "next": "Nothing: it is plugged into VM 100.",
}
PI = {
    "role": "pi", "name": "workbench", "version": "0.1.0",
    "links": [{"node": "pve1", "host": "10.77.0.1", "linked": True, "problem": ""}],
    "devices": [{"place": "1-1.2", "id": "1a86:55d4", "product": "USB Single Serial", "serial": "",
                 "mode": "usbip", "exported": True, "why": "driver cdc_acm", "node": "pve1",
                 "vmid": 100},
                {"place": "1-1.1", "id": "0424:ec00", "product": "", "serial": "", "mode": "off",
                 "exported": False, "why": "network adapters are never exported", "node": None,
                 "vmid": None}],
}


@pytest.fixture
def root(tmp_path):
    (tmp_path / "run/longcord").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def serve(root):
    """serve(replies...) starts a fake service; all end with the test."""
    started = []

    def start(replies, role="host", **more):
        started.append(FakeService(root / "run/longcord" / f"{role}.sock", replies, **more))
        return started[-1]

    yield start
    for service in started:
        service.close()


@pytest.fixture
def longcord(root):
    def run(*arguments, expect=DONE, **environment):
        result = subprocess.run(
            [binary(), *arguments], capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "LONGCORD_ROOT": str(root), "TZ": "UTC", **environment})
        assert result.returncode == expect, result.stdout + result.stderr
        assert "Sanitizer" not in result.stderr
        return result

    return run


def columns(text, *words):
    """All words stand in one line of the text, in this order."""
    pattern = ".*".join(re.escape(word) for word in words)
    return any(re.search(pattern, line) for line in text.splitlines())


def test_status_is_one_screen(longcord, serve):
    serve({"status": HOST})
    text = longcord("status").stdout
    assert text.startswith("longcord-host 0.1.0 on pve1\n")
    assert columns(text, "workbench", "linked 3 h 12 min", "10.77.0.2", "1.2 ms", "2")
    assert columns(text, "attic", "not linked 3 min")
    assert columns(text, "100", "win11", "running", "1")
    assert columns(text, "workbench/1-1.2", "plugged", "100", "guest port 15, in use by the guest")
    assert columns(text, "3-4.1", "waiting", "101", "VM 101 is not running")
    assert "USB2.1 Hub" not in text
    assert "\033" not in text


def test_status_of_one_vm(longcord, serve):
    serve({"status": {**HOST, "problems": ["VM 1000: its QMP socket does not answer",
                                           "/etc/pve/qemu-server/1100.usb.conf:1: no place"]}})
    text = longcord("status", "100").stdout
    assert "workbench/1-1.2" in text
    assert "workbench/1-1.3" not in text
    assert "3-4.1" not in text
    assert "VM 1000" not in text and "1100" not in text
    shown = json.loads(longcord("status", "100", "--json").stdout)
    assert [entry["place"] for entry in shown["devices"]] == ["workbench/1-1.2"]


def test_status_of_a_vm_that_nobody_knows(longcord, serve):
    serve({"status": HOST})
    assert "VM 999" in longcord("status", "999", expect=FAILED).stderr


def test_a_problem_is_shown_and_is_exit_code_5(longcord, serve):
    problem = "/etc/pve/qemu-server/100.usb.conf:3:1: '3-' is no place"
    serve({"status": {**HOST, "problems": [problem]}})
    assert problem in longcord("status", expect=DEGRADED).stdout
    longcord("status", "100", expect=DEGRADED)


def test_status_of_a_pi(longcord, serve):
    serve({"status": PI}, role="pi")
    text = longcord("status").stdout
    assert text.startswith("longcord-pi 0.1.0 on workbench\n")
    assert columns(text, "pve1", "10.77.0.1", "linked")
    assert columns(text, "1-1.2", "usbip", "yes", "pve1, VM 100", "driver cdc_acm")
    assert columns(text, "1-1.1", "off", "no", "network adapters are never exported")


def test_json_is_what_the_service_said(longcord, serve):
    serve({"status": HOST, "devices": {"devices": DEVICES}, "explain": EXPLAIN,
           "events": {"events": EVENTS}})
    assert json.loads(longcord("status", "--json").stdout) == HOST
    assert json.loads(longcord("devices", "--json").stdout) == {"devices": DEVICES}
    assert json.loads(longcord("explain", "workbench/1-1.2", "--json").stdout) == EXPLAIN
    assert json.loads(longcord("events", "--json").stdout) == {"events": EVENTS}


def test_devices_are_columns(longcord, serve):
    serve({"devices": {"devices": DEVICES}})
    lines = longcord("devices").stdout.splitlines()
    assert lines[0].split() == ["PLACE", "ID", "PRODUCT", "SERIAL", "CLASS", "SPEED", "STATE", "VM", "WHY"]
    at = lines[0].index("STATE")
    assert [line[at:].split()[0] for line in lines[1:]] == ["hub", "waiting", "plugged", "conflict"]


def test_no_devices(longcord, serve):
    serve({"devices": {"devices": []}})
    assert longcord("devices").stdout == "no devices\n"


def test_explain_names_every_rule_and_the_winner_first(longcord, serve):
    service = serve({"explain": EXPLAIN})
    text = longcord("explain", "workbench/1-1.2").stdout
    assert service.requests == [{"verb": "explain", "args": {"place": "workbench/1-1.2"}}]
    assert columns(text, "100", "100.usb.conf:2", "workbench/1-1.2", "wins")
    assert columns(text, "102", "102.usb.conf:1", "workbench", "matches")
    assert columns(text, "101", "101.usb.conf:1", "3-4", "no match", "on the Pi workbench")
    assert text.index("100.usb.conf") < text.index("102.usb.conf") < text.index("101.usb.conf")
    assert columns(text, "Outcome", "VM 100 wins: its rule has the longer place.")
    assert columns(text, "Next", "Nothing: it is plugged into VM 100.")


def test_explain_of_an_empty_place(longcord, serve):
    serve({"explain": {**EXPLAIN, "device": None, "winner": None}})
    assert "nothing is plugged here" in longcord("explain", "workbench/1-1.2").stdout


def test_explain_of_what_is_no_place(longcord, serve):
    serve({"explain": {"error": {"kind": "invalid", "message": "'34' is no place: 3-4?"}}})
    assert longcord("explain", "34", expect=USAGE).stderr == "longcord: '34' is no place: 3-4?\n"


def test_events_show_each_step_with_its_time_and_duration(longcord, serve):
    service = serve({"events": {"events": EVENTS}})
    lines = longcord("events").stdout.splitlines()
    assert len(lines) == 3
    assert columns(lines[1], "2026-03-01 12:00:00.157", "34 ms", "imported", "workbench/1-1.2",
                   "VM 100", "on vhci port 0")
    assert lines[0].index("appeared") == lines[1].index("imported") == lines[2].index("plugged")
    longcord("events", "-n", "5")
    assert service.requests[1]["args"] == {"limit": 5}


def test_events_are_in_local_time(longcord, serve):
    serve({"events": {"events": EVENTS[:1]}})
    assert longcord("events", TZ="Europe/Berlin").stdout.startswith("2026-03-01 13:00:00.123")


def follow(root, *arguments):
    return subprocess.Popen([binary(), "events", "--follow", *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True,
                            # A test run in the background ignores Ctrl-C, and so would this program.
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                            env={**os.environ, "LONGCORD_ROOT": str(root), "TZ": "UTC"})


def test_follow_shows_what_was_and_what_comes_each_once(root, serve):
    service = serve({"events": {"events": EVENTS[:2]}},
                    stream=[{"event": EVENTS[1]}, {"event": EVENTS[2]}, {"lagged": 1000}])
    process = follow(root)
    lines = [process.stdout.readline() for _ in range(4)]
    assert [("appeared" in lines[0]), ("imported" in lines[1]), ("plugged" in lines[2])] == [True] * 3
    assert "1000 events are missing" in lines[3]
    assert service.requests == [{"verb": "subscribe", "args": {"limit": 10}}]
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    assert process.stdout.read() == ""


def test_follow_as_json_is_one_object_a_line(root, serve):
    serve({"events": {"events": EVENTS[:1]}}, stream=[{"event": EVENTS[1]}], hang_up=True)
    process = follow(root, "--json")
    output, errors = process.communicate(timeout=30)
    lines = [json.loads(line) for line in output.splitlines()]
    assert lines[:2] == EVENTS[:2]
    assert lines[2]["error"]["message"] == "the service has stopped"
    assert errors == "longcord: the service has stopped\n"
    assert process.returncode == FAILED


def test_no_service(longcord):
    for verb in (["status"], ["devices"], ["events"], ["events", "--follow"]):
        assert "no Longcord service is running here" in longcord(*verb, expect=NOT_RUNNING).stderr
    said = longcord("explain", "3-4", expect=NOT_RUNNING).stderr
    assert said == "longcord: longcord-host is not running here; start it: systemctl start longcord-host\n"
    assert "longcord-pi is not" in longcord("status", "--on", "pi", expect=NOT_RUNNING).stderr


def test_the_socket_of_a_killed_service_is_no_service(longcord, serve):
    serve({}).die()
    longcord("status", expect=NOT_RUNNING)
    serve({"status": PI}, role="pi")
    assert longcord("status").stdout.startswith("longcord-pi")


def test_both_services(longcord, serve):
    serve({"status": HOST, "explain": EXPLAIN})
    serve({"status": PI}, role="pi")
    assert "--on host" in longcord("status", expect=USAGE).stderr
    assert longcord("status", "--on", "host").stdout.startswith("longcord-host")
    assert longcord("status", "--on", "pi").stdout.startswith("longcord-pi")
    assert longcord("status", "100", expect=DONE).stdout.startswith("longcord-host")
    longcord("explain", "3-4")
    longcord("status", "100", "--on", "pi", expect=USAGE)


def test_the_service_refuses(longcord, serve):
    serve({"status": {"error": {"kind": "refused", "message": "not for user 33"}}})
    said = longcord("status", "--json", expect=REFUSED)
    assert json.loads(said.stdout) == {"error": {"kind": "refused", "message": "not for user 33"}}
    assert said.stderr == "longcord: not for user 33\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_the_socket_refuses(root, serve):
    service = serve({"status": HOST})
    os.chmod(service.path, 0o660)
    for folder in (root, *root.parents):  # a stranger may look for the socket, not use it
        if folder.stat().st_uid == 0 and str(folder).startswith("/tmp/"):
            os.chmod(folder, 0o755)
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary(), "status"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "LONGCORD_ROOT": str(root)})
    assert said.returncode == REFUSED, said.stderr
    assert "try again as root" in said.stderr


def test_the_service_fails(longcord, serve):
    serve({"status": {"error": {"kind": "timeout", "message": "it takes too long"}}})
    assert longcord("status", expect=FAILED).stderr == "longcord: it takes too long\n"


@pytest.mark.parametrize("answer", [b"", b"hello\n", b"{}\n", b'{"ok":true,"result"', b"\xff\xff\n"])
def test_the_service_talks_nonsense(longcord, serve, answer):
    serve({}, raw=answer)
    assert longcord("status", expect=FAILED).stderr.startswith("longcord: the service ")


@pytest.mark.parametrize("reply", [None, [], 7, {"role": 7, "pis": 1, "devices": [1, None, "x"]},
                                   {"devices": [{"place": ["x"], "why": {}}], "events": [[], 1]}])
def test_replies_of_wrong_types_are_survived(longcord, serve, reply):
    serve({"status": reply, "devices": reply, "events": reply, "explain": reply})
    for verb in (["status"], ["status", "--json"], ["devices"], ["events"], ["explain", "3-4"]):
        longcord(*verb)


def test_what_a_device_is_called_cannot_command_the_terminal(longcord, serve):
    evil = "a\x1b]0;owned\x07b\x9b2Jc\x7f\r\nd"
    wicked = device(evil, "waiting", product=evil, serial=evil, why=evil)
    serve({"status": {**HOST, "devices": [wicked]}, "devices": {"devices": [wicked]},
           "explain": {**EXPLAIN, "device": wicked, "outcome": evil},
           "events": {"events": [{**EVENTS[0], "message": evil, "kind": evil, "time": evil}]}})
    for verb in (["status"], ["devices"], ["explain", "3-4"], ["events"]):
        for json_too in ([], ["--json"]):
            text = longcord(*verb, *json_too).stdout
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), (verb, text)


@pytest.mark.parametrize("arguments", [[], ["stauts"], ["status", "x"], ["status", "1", "2"],
                                       ["explain"], ["events", "-n", "-1"], ["rules"],
                                       ["devices", "--on", "node"], ["devices", "--jsn"]])
def test_usage(longcord, arguments):
    said = longcord(*arguments, expect=USAGE)
    assert said.stdout == ""
    assert "--help" in said.stderr


VERBS = [["status"], ["devices"], ["explain"], ["events"], ["rules", "check"], ["rules", "add"], ["rules", "remove"],
         ["rules", "adopt"], ["attach"], ["detach"], ["resume"], ["learn"], ["metrics"], ["vm", "prepare"],
         ["vm", "unprepare"], ["vm", "quiesce"]]


@pytest.mark.parametrize("verb", [[], *VERBS])
def test_help_fits_a_terminal(longcord, verb):
    text = longcord(*verb, "--help").stdout
    assert all(len(line) <= 100 for line in text.splitlines()), text
    if verb:
        assert "--json" in text


def test_the_manual_has_every_verb_and_option(longcord):
    page = (REPOSITORY / "docs/man/longcord.1").read_text().replace("\\-", "-")
    for verb in VERBS:
        assert f".B longcord {' '.join(verb)}" in page
        for option in re.findall(r"--[a-z]+", longcord(*verb, "--help").stdout):
            assert option in page, option


@pytest.mark.parametrize("name", ["host", "pi"])
def test_the_manual_has_every_key_of_the_configuration(name):
    page = (REPOSITORY / f"docs/man/longcord.{name}.yaml.5").read_text().replace("\\-", "-")
    shipped = (REPOSITORY / f"config/{name}.yaml").read_text()
    keys = re.findall(r"^#(?:  )*([a-z_]+):", shipped, re.MULTILINE)
    assert len(keys) > 5
    for key in keys:
        assert key in page, key


def test_version(longcord):
    assert re.fullmatch(r"longcord \d+\.\d+\.\d+\n", longcord("--version").stdout)


def run_in_terminal(root, *arguments, **environment):
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update({"LONGCORD_ROOT": str(root), "TERM": "xterm", **environment})
        os.execv(binary(), [binary(), *arguments])
    output = b""
    while select.select([terminal], [], [], 30)[0]:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    os.waitpid(pid, 0)
    return output.decode()


def test_colour_on_a_terminal_and_not_with_no_color(root, serve):
    serve({"status": HOST})
    os.environ.pop("NO_COLOR", None)
    assert "\033[32mplugged\033[0m" in run_in_terminal(root, "status")
    assert "\033" not in run_in_terminal(root, "status", NO_COLOR="1")
    assert "\033" not in run_in_terminal(root, "status", TERM="dumb")


@pytest.fixture
def pve(root):
    folder = root / "etc/pve/qemu-server"
    folder.mkdir(parents=True)
    for vmid in (100, 101):
        uuid = f"0a1b2c3d-0000-4000-8000-000000000{vmid}"
        (folder / f"{vmid}.conf").write_text(f"name: x\nsmbios1: uuid={uuid}\n")
    return folder


def test_rules_check_needs_no_service(longcord, pve):
    (pve / "100.usb.conf").write_text("3-4  # the hub\nworkbench/1-1.2\n")
    (pve / "101.usb.conf").write_text("3-5\n")
    text = longcord("rules", "check").stdout
    assert text.endswith("2 rules files, 3 rules: 0 errors, 1 warning\n")
    assert "100.usb.conf:2:1: warning: no paired Pi is named workbench" in text  # none was ever paired


def test_rules_check_names_file_line_and_column(longcord, pve):
    (pve / "100.usb.conf").write_text("3-4\n3-\n")
    text = longcord("rules", "check", expect=FAILED).stdout
    assert re.search(r"100\.usb\.conf:2:1: error: ", text)
    assert text.endswith("1 rules file, 1 rule: 1 error, 0 warnings\n")
    found = json.loads(longcord("rules", "check", "--json", expect=FAILED).stdout)
    assert found["ok"] is False
    assert found["diagnostics"][0]["line"] == 2
    assert found["diagnostics"][0]["severity"] == "error"


def test_rules_check_orphans_are_warnings(longcord, pve):
    (pve / "999.usb.conf").write_text("3-4\n")
    assert "warning: there is no VM 999" in longcord("rules", "check").stdout


def test_rules_check_of_conflicts_between_vms(longcord, pve):
    (pve / "100.usb.conf").write_text("3-4 1a86:55d4\n")
    (pve / "101.usb.conf").write_text("3-4 class=cdc\n")
    assert "conflict with VM 101" in longcord("rules", "check").stdout


def test_rules_check_knows_the_pis(longcord, root, pve):
    (pve / "100.usb.conf").write_text("workbench/1-1.2\nworkbnch/1-1.3\nlabserver/1-1\n")
    assert longcord("rules", "check").stdout.count("no paired Pi") == 3
    (root / "etc/pve/priv/longcord/pis").mkdir(parents=True)
    (root / "etc/pve/priv/longcord/pis/workbench").write_text("ssh-ed25519 AAAA")
    (root / "etc/longcord").mkdir()
    (root / "etc/longcord/host.yaml").write_text("usbip_servers: { labserver: { address: a } }\n")
    text = longcord("rules", "check").stdout
    assert text.count("no paired Pi") == 1
    assert "100.usb.conf:2:1: warning: no paired Pi is named workbnch" in text


ODD_FILES = {  # what is in it: where the first finding is, and its words; nothing: it is as it should be
    "nothing at all": (b"", None),
    "blank lines and comments": (b"\n  \n\t# 3-\n#\n", None),
    "a byte order mark and Windows' line ends": (b"\xef\xbb\xbf3-4\r\n3-5\r\n", None),
    "the same, and a mistake": (b"\xef\xbb\xbf3-4\r\n\t3-\r\n", "2:2: error: \"3-\" is no place"),
    "no end of the last line": (b"3-4\n3-5", None),
    "line ends of old Macs": (b"3-4\r3-5\r", "1:4: error: a carriage return stands inside the line"),
    "tabs": (b"\t3-4\t\tclass=hid\t# x\t\n", None),
    "a column behind tabs and umlauts": ("3-4\tproduct=\"Bücher\" colour=red\n".encode(), "1:22: error: "),
    "a line of 1,024 bytes": (b"3-4 " + b"#" * 1020 + b"\n", None),
    "one of 1,025": (b"3-5\n3-4 " + b"#" * 1021 + b"\n", "2:1025: error: the line is longer than 1024 bytes"),
    "a zero byte": (b"3-4\x00\n", "1:4: error: there is a control character here"),
    "UTF-16": ("3-4\n".encode("utf-16"), "1:1: error: the file is UTF-16"),
    "Latin-1 in a value": (b"3-4 product=\"B\xfccher\"\n", "1:15: error: this is not UTF-8"),
    "a rule twice": (b"3-4 class=hid\n# x\n3-4   class=HID # again\n", "3:1: warning: this is line 1 again"),
    "the same devices with other options": (b"3-4 port=1\n3-4 port=2\n", "2:1: error: line 1 is for the same devices"),
    "one port for two": (b"3-4 port=1\n3-5 port=1\n", "2:1: warning: guest port 1 is asked for in line 1 too"),
    "prefixes of each other": (b"3-4\n3-4.1\n3-40\n3-4.1.2\n", None),
    "denied whole": (b"3-4.1 class=hid\n!3-4\n", "1:1: warning: this rule can never win: line 2, !3-4,"),
    "denied in part": (b"3-4\n!3-4.1\n", None),
}


@pytest.mark.parametrize("name", ODD_FILES)
def test_rules_check_of_odd_files(longcord, pve, name):
    content, finding = ODD_FILES[name]
    file = pve / "100.usb.conf"
    file.write_bytes(content)
    text = longcord("rules", "check", str(file), expect=FAILED if finding and "error" in finding else DONE).stdout
    if finding:
        assert text.startswith(f"{file}:{finding}"), text
    else:
        assert text.startswith("1 rules file, ") and text.endswith(": 0 errors, 0 warnings\n"), text


def test_rules_check_of_files(longcord, root, pve):
    (pve / "100.usb.conf").write_text("3-\n")
    (root / "draft").write_text("3-4\n")
    longcord("rules", "check", str(root / "draft"))
    longcord("rules", "check", str(root / "draft"), str(pve / "100.usb.conf"), expect=FAILED)
    said = longcord("rules", "check", str(root / "none.usb.conf"), expect=FAILED)
    assert "none.usb.conf" in said.stderr


def test_rules_check_of_too_large_a_file(longcord, root):
    (root / "100.usb.conf").write_text("# x\n" * 100_000)
    text = longcord("rules", "check", str(root / "100.usb.conf"), expect=FAILED).stdout
    assert "64 KiB" in text


def test_rules_check_where_no_node_is_says_nothing_of_pis(longcord, root):
    (root / "100.usb.conf").write_text("workbench\n3-4\n")
    assert longcord("rules", "check", str(root / "100.usb.conf")).stdout == "1 rules file, 2 rules: 0 errors, 0 warnings\n"


def test_rules_check_of_the_machines_in_host_yaml(longcord, root):
    (root / "etc/longcord").mkdir(parents=True)
    (root / "etc/longcord/host.yaml").write_text(
        "virtual_machines:\n  windows:\n    socket: /q\n    ports:\n      - 3-4\n      - 3-\n      - \"3-4 colour=red\"\n")
    text = longcord("rules", "check", expect=FAILED).stdout
    assert re.search(r"host\.yaml:6:9: error: ", text)  # where it stands in the file
    assert re.search(r"host\.yaml:7:14: error: ", text)
    (root / "etc/longcord/host.yaml").write_text("virtual_machine: {}\n")
    text = longcord("rules", "check", expect=FAILED).stdout
    assert "did you mean 'virtual_machines'?" in text


def test_rules_check_of_machines_beside_vms(longcord, root, pve):
    """In hotplugger's form, as its README has it."""
    (root / "etc/longcord").mkdir(parents=True)
    (root / "etc/longcord/host.yaml").write_text(
        "virtual_machines:\n\n  windows:\n    socket: /home/dragon/vm/test/qmp-sock\n    ports:\n"
        "      - /devices/pci0000:00/0000:00:14.0/usb3/3-1\n      - /devices/pci0000:00/0000:00:14.0/usb4/4-1\n"
        "      - 3-4 serial=1\n      - ghost/1-1\n"
        "  linux:\n    socket: /home/dragon/vm/linux/qmp-sock\n    ports: [ 3-7 ]\n")
    (pve / "100.usb.conf").write_text("3-4 1a86:55d4\n3-7\n3-1.2\n")
    text = longcord("rules", "check").stdout
    lines = text.splitlines()
    assert any("host.yaml:8:9: warning: conflict with VM 100" in line for line in lines), text
    assert any("100.usb.conf:1:1: warning: conflict with VM windows (" in line and "host.yaml:8" in line
               for line in lines), text
    assert any("host.yaml:12:14: note: VM 100 has the same rule" in line for line in lines), text
    assert any("100.usb.conf:2:1: note: VM linux has the same rule" in line for line in lines), text
    assert any("host.yaml:9:9: warning: no paired Pi is named ghost" in line for line in lines), text
    assert "there is no VM" not in text and "1000000000" not in text
    assert lines[-1] == "1 rules file, 8 rules: 0 errors, 3 warnings"
