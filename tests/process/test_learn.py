# SPDX-License-Identifier: MIT
"""`longcord learn`: a person starts it, sees that it waits, plugs something in, and has a rule to write. On a
node and on a Pi, at a terminal and in a pipe. The services are real; /sys is a folder."""
import json
import os
import pty
import re
import signal
import subprocess
import time

import pytest
from control_fake import FakeService
from host_world import DIES_WITH_US, binary, wait
from played_pi import PlayedPi, device
from test_pi import pi  # noqa: F401  (a fixture)


class Learner:
    def __init__(self, environment, *words):
        self.process = subprocess.Popen([*DIES_WITH_US, binary("longcord"), "learn", *words], env=environment,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.prompt = self.process.stderr.readline()

    def end(self):
        out, err = self.process.communicate(timeout=40)
        return self.process.returncode, out, err


@pytest.fixture
def learn(world):
    return lambda *words: Learner(world.environment(), *words)


def test_it_prompts_notices_one_plug_and_prints_rules_that_work(world, learn):
    learner = learn()
    assert "Plug it in now" in learner.prompt and "Ctrl-C" in learner.prompt
    world.local.plug("3-5", devnum=9, product="New", serial='B"2')
    code, out, err = learner.end()
    assert (code, err) == (0, "")
    assert "place   3-5\n" in out and "1a86:55d4 New" in out
    rules = re.findall(r"^  (\S.*)$", out, re.M)
    assert rules == ["3-5", "pci-0000:00:14.0/5", r'*/* 1a86:55d4 serial="B\"2"']
    for rule in rules:
        done = world.cli("rules", "add", "100", rule)
        assert done.returncode == 0, done.stderr
        world.stands("3-5", "QEMU says")
        world.cli("rules", "remove", "100", rule)
        world.stands("3-5", "no rule wants it", state="unclaimed")


def test_what_is_plugged_in_anew_in_its_old_place_counts(world, learn):
    learner = learn("--json")
    world.local.unplug("3-4")
    world.local.plug("3-4", devnum=8)
    code, out, _ = learner.end()
    found = json.loads(out)
    assert (code, found["rule"], found["hub"], found["obstacle"]) == (0, "3-4", False, "")
    assert found["rule_by_controller"] == "pci-0000:00:14.0/4"


def test_a_hub_is_learned_with_a_rule_for_all_that_is_plugged_into_it(world, learn):
    learner = learn()
    world.local.plug("3-6", devnum=9, product="Hub", serial="", bDeviceClass="09")
    code, out, _ = learner.end()
    assert code == 0 and "A hub." in out and re.findall(r"^  (\S.*)$", out, re.M)[0] == "3-6"
    assert "*/*" not in out


def test_a_board_of_a_pi_is_learned_on_the_node(world, learn):
    pi = PlayedPi(world, "workbench", [device("1-1.1")])
    wait(lambda: world.device("workbench/1-1.1"))
    learner = learn("--json")
    pi.say({"type": "added", "device": device("1-1.2", devnum=5)})
    found = json.loads(learner.end()[1])
    assert (found["place"], found["rule"]) == ("workbench/1-1.2", "workbench/1-1.2")
    assert found["rule_by_controller"] == "workbench/platform-fe9c0000.xhci/1.2"
    pi.close()


def test_what_happens_elsewhere_meanwhile_is_no_plug(world, learn):
    learner = learn("--json")
    world.rules(100, "3-4\n")  # events, and a device that changes its state
    world.stands("3-4", "QEMU says")
    assert learner.process.poll() is None
    world.local.plug("3-7", devnum=11)
    assert json.loads(learner.end()[1])["place"] == "3-7"


def test_at_a_terminal_the_prompt_is_seen_at_once_and_ctrl_c_ends_it(world):
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests in the background has it ignored
        os.execve(binary("longcord"), ["longcord", "learn"], world.environment())
    seen = b""
    while b"Ctrl-C ends" not in seen:
        seen += os.read(terminal, 1024)
    os.write(terminal, b"\x03")  # what the key sends; the terminal makes SIGINT of it
    end = time.monotonic() + 30
    while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    _, status = done
    os.close(terminal)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT
    assert world.ask("devices")


def test_it_gives_up_after_its_time_and_says_where_else_to_look(world, learn):
    began = time.monotonic()
    code, out, err = learn("--timeout", "1").end()
    assert (code, out) == (1, "") and time.monotonic() - began >= 1
    assert "nothing was plugged in for 1 s" in err and "on that Pi" in err
    code, out, _ = learn("--timeout", "1", "--json").end()
    assert code == 1 and json.loads(out)["error"]["kind"] == "timeout"
    for wrong in ("0", "-1", "x", "86401"):
        assert world.cli("learn", "--timeout", wrong).returncode == 2


def test_the_end_of_the_service_ends_it(world, learn):
    learner = learn()
    world.stop()
    code, _, err = learner.end()
    assert code == 1 and "closed" in err
    assert world.cli("learn").returncode == 3


# --- on a Pi

def test_a_device_that_the_pi_keeps_is_learned_there_and_what_to_do_is_said(pi):  # noqa: F811
    pi.config.write_text("name: workbench\n")
    pi.serve()
    environment = {**os.environ, "LONGCORD_ROOT": str(pi.root), "NO_COLOR": "1"}
    learner = Learner(environment)
    pi.plug_keyboard("1-1")
    code, out, err = learner.end()
    assert (code, err) == (0, "")
    assert "place   workbench/1-1\n" in out and "046d:c31c USB Keyboard" in out
    assert "its mode is off" in out and "longcord mode 1-1 usbip" in out
    learner = Learner(environment, "--timeout", "1")
    code, _, err = learner.end()
    assert code == 1 and "on that Pi" not in err


@pytest.mark.parametrize("mode, obstacle", [("usbip", False), ("off", True), ("serial", True)])
def test_what_keeps_it_from_vms_is_its_mode(tmp_path, mode, obstacle):
    plugged = {"place": "1-1.2", "id": "10c4:ea60", "devnum": 3, "product": "Bridge", "serial": "", "hub": False,
               "controller": "", "mode": mode, "exported": False, "why": "because"}
    replies = {"status": {"role": "pi", "name": "workbench"}, "devices": {"devices": []}, "events": {"events": []}}
    service = FakeService(tmp_path / "run/longcord/pi.sock", replies)
    learner = Learner({**os.environ, "LONGCORD_ROOT": str(tmp_path)}, "--json")
    wait(lambda: [request for request in service.requests if request["verb"] == "subscribe"])
    replies["devices"] = {"devices": [plugged]}
    subscriber = service.clients[1]
    subscriber.sendall(b'{"event":{"seq":1,"time":"2026-03-01T12:00:00.000Z","kind":"kept","place":"1-1.2",'
                       b'"vmid":null,"pi":null,"message":"","took_ms":null}}\n')
    found = json.loads(learner.end()[1])
    assert found["rule"] == "workbench/1-1.2" and found["rule_by_controller"] == ""
    assert ("longcord mode 1-1.2 usbip" in found["obstacle"]) == obstacle
    service.close()
