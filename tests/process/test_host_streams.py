# SPDX-License-Identifier: MIT
"""What longcord-host does with a Pi's answers to `open`, and with ports that are not what they should
be. The Pi and the far end of the seal are played, in Python; longcord-host, QEMU and TCP are real."""
import pytest
from between import Between
from host_world import wait
from played_pi import KEYS, PlayedPi, UsbipServer, device, expect_stream

DEVID = 1 << 16 | 3


@pytest.fixture
def server():
    usbip = UsbipServer()
    usbip.serve("1-1")
    yield usbip
    usbip.close()


@pytest.fixture
def ready(world):
    """A rule wants everything of the Pi; vhci knows its board."""
    world.vhci.devices[DEVID] = {}
    world.rules(100, "workbench\n")
    return world


def test_open_says_device_vm_and_a_secret_that_is_never_the_same(ready, server):
    pi = PlayedPi(ready, "workbench", [device("1-1"), device("1-2")], server.port)
    opens = wait(lambda: len(pi.answers("open")) >= 2 and pi.answers("open"))
    assert {message["busid"] for message in opens} >= {"1-1", "1-2"}
    assert all(message["vmid"] == 100 for message in opens)
    secrets = [message["ticket"] for message in opens]
    secrets += [message["seal"][side]["key"] for message in opens for side in ("from_pi", "from_node")]
    assert len(set(secrets)) == len(secrets)
    assert all(len(secret) == 64 for secret in secrets)
    ready.says("import workbench/1-1", kind="imported")
    for secret in secrets:
        assert secret not in ready.log.read_text() and secret not in str(ready.events())
    pi.close()


def test_busy_is_told_and_not_asked_again_until_it_is_available(ready, server):
    answer = {"type": "busy", "node": "pve2", "vmid": 101}
    pi = PlayedPi(ready, "workbench", [device("1-1")], server.port,
                  opens=lambda message: {**answer, "n": message["n"]})
    ready.stands("workbench/1-1", "pve2 has it for VM 101")
    asked = len(pi.answers("open"))
    wait(lambda: [s for s in pi.answers("state") if s["why"] == "pve2 has it for VM 101"])
    ready.rules(101, "3-9\n")  # something that makes it plan again
    ready.says("rules in force", kind="rules", vmid=101)
    assert len(pi.answers("open")) == asked
    pi.opens = expect_stream
    pi.say({"type": "available", "busid": "1-1"})
    ready.says("import workbench/1-1", kind="imported")
    pi.close()


def test_a_refusal_is_told_in_the_pis_words_and_tried_again(ready, server):
    pi = PlayedPi(ready, "workbench", [device("1-1")], server.port, opens=lambda message: {
        "type": "refused", "n": message["n"], "why": "16 devices are exported already"})
    ready.stands("workbench/1-1", "Pi workbench refuses: 16 devices are exported already")
    wait(lambda: len(pi.answers("open")) >= 3)
    pi.close()


def test_a_pi_that_does_not_answer_open_costs_two_seconds_and_nothing_else(ready, server):
    pi = PlayedPi(ready, "workbench", [device("1-1")], server.port, opens=lambda message: None)
    ready.stands("workbench/1-1", "has not answered")
    pi.close()


def test_answers_to_what_was_never_asked_change_nothing(ready, server):
    pi = PlayedPi(ready, "workbench", [device("1-1")], server.port)
    for message in ({"type": "opened", "n": 999}, {"type": "busy", "n": 999, "node": "x"},
                    {"type": "refused", "n": 999, "why": "x"}, {"type": "available", "busid": "9-9"}):
        pi.say(message)
    ready.says("import workbench/1-1", kind="imported")
    assert ready.device("workbench/1-1")["why"] != "x has it"
    pi.close()


def test_one_pi_cannot_answer_for_another(ready, server):
    """Both are asked; "thief" answers with every number there is."""
    ready.rules(100, "workbench\nthief\n")
    pi = PlayedPi(ready, "workbench", [device("1-1")], server.port, opens=lambda message: None)
    wait(lambda: pi.answers("open"))
    thief = PlayedPi(ready, "thief", [], server.port)
    for n in range(1, 20):
        thief.say({"type": "busy", "n": n, "node": "nobody"})
    ready.stands("workbench/1-1", "has not answered")
    thief.close()
    pi.close()


def test_a_port_that_does_not_know_the_ticket_hangs_up_and_it_is_told(ready, server):
    def forget(message):
        expect_stream(message)
        KEYS.clear()
        return {"type": "opened", "n": message["n"]}
    pi = PlayedPi(ready, "workbench", [device("1-1")], server.port, opens=forget)
    ready.stands("workbench/1-1", "closed the connection without an answer")
    assert server.asked == []
    pi.close()


def test_a_plain_usbip_server_at_a_pis_port_is_not_talked_to_in_clear(ready):
    plain = UsbipServer(plain=True)
    plain.serve("1-1")
    pi = PlayedPi(ready, "workbench", [device("1-1")], plain.port)
    ready.stands("workbench/1-1", "USB/IP server")
    assert plain.asked == [] or plain.asked[0] != "1-1"
    assert ready.vhci.attached == []
    pi.close()


@pytest.mark.parametrize("how, meddle", [
    ("a bit is flipped", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
    ("a record comes twice", lambda data: data + data),
    ("the end is cut off", lambda data: data[:-4]),
    ("in clear", lambda data: b"\x01\x11\x00\x03\x00\x00\x00\x00" + bytes(312)),
])
def test_a_stream_that_is_tampered_with_ends_and_the_next_one_works(ready, server, how, meddle):
    changed = []

    def first_time_only(data):
        if changed:
            return data
        changed.append(how)
        return meddle(data)
    between = Between(server.port, first_time_only)
    pi = PlayedPi(ready, "workbench", [device("1-1")], between.port)
    ready.says("import workbench/1-1", kind="imported")
    assert changed
    # A record that comes twice is good the first time: only what follows ends.
    assert how == "a record comes twice" or ready.events(kind="failed", place="workbench/1-1")
    pi.close()
    between.close()
