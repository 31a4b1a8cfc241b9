# SPDX-License-Identifier: MIT
"""Pis that talk nonsense to longcord-host, too much, or nothing. Each is answered, named in the events
with the field that is wrong, and costs a second, well-behaved Pi nothing."""
import json
import socket
import threading

import pytest
from host_world import World, wait
from played_pi import PlayedPi, device

MOST_DEVICES = 128


@pytest.fixture(scope="module")
def town(qemu):
    """One service for all of these; the Pi "good" lists two devices from first to last."""
    node = World(qemu)
    node.local.plug("3-4", devnum=7)
    node.serve()
    node.good = PlayedPi(node, "good", [device("1-1"), device("1-2")])
    wait(lambda: node.device("good/1-2"))
    yield node
    node.good.close()
    node.close()


@pytest.fixture(autouse=True)
def good_pi_is_not_touched(town):
    pid = town.process.pid
    yield
    assert town.alive() and town.process.pid == pid
    assert town.device("good/1-1")["id"] == town.device("good/1-2")["id"] == "1a86:55d4"
    assert town.device("3-4")
    assert town.pi("good")["linked"]
    assert len(town.events(pi="good", kind="linked")) == 1
    assert town.events(pi="good", kind="unlinked") == []


def listed(*devices):
    return json.dumps({"type": "devices", "devices": devices}).encode()


def without(key):
    return {name: value for name, value in device("1-1").items() if name != key}


NONSENSE = {
    "a line that is too long": (b"x" * 70000, "line: is longer than 65536 bytes"),
    "invalid UTF-8": (b'{"type":"removed","busid":"\xff\xfe"}', "line: is not valid UTF-8"),
    "no JSON": (b"GET / HTTP/1.1", "line: is no JSON"),
    "a list": (b"[1,2]", "line: is no JSON object"),
    "ten thousand brackets": (b"[" * 10000, "line: is no JSON"),
    "no type": (b"{}", "type: is missing"),
    "a number for a type": (b'{"type":7}', "type: is no string"),
    "an unknown type": (b'{"type":"dance"}', 'type: "dance" is not known'),
    "devices that are no list": (b'{"type":"devices","devices":7}', "devices: is no list"),
    "a device that is no object": (listed("1-1"), "devices[0]: is no JSON object"),
    "129 devices": (listed(*[device(f"1-{n}") for n in range(1, 130)]), "at most 128"),
    "one busid twice": (listed(device("1-1"), device("1-1")), "devices[1].busid"),
    "a busid with ..": (listed(device("1-1"), device("../../etc")), "devices[1].busid"),
    "a busid with /": (listed(device("1-1/2")), "devices[0].busid"),
    "a busid of 60 bytes": (listed(device("1-1" + ".1" * 30)), "devices[0].busid"),
    "a busid of a number": (listed(device(11)), "devices[0].busid: is no string"),
    "no vendor": (listed(without("vendor")), "devices[0].vendor: is missing"),
    "a vendor in words": (listed(device("1-1", vendor="acme")), "devices[0].vendor"),
    "a speed of 99": (listed(device("1-1", speed=99)), "devices[0].speed"),
    "a negative devnum": (listed(device("1-1", devnum=-1)), "devices[0].devnum"),
    "a class of two": (listed(device("1-1", **{"class": [2, 0]})), "devices[0].class"),
    "a controller with /": (listed(device("1-1", controller="a/../b")), "devices[0].controller"),
    "removed without busid": (b'{"type":"removed"}', "busid: is missing"),
    "a pong of text": (b'{"type":"pong","n":"1"}', "n: is no whole number"),
    "another version": (b'{"type":"hello","version":9}', "speaks version 9"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused_with_pi_and_field_and_the_link_stays(town, name):
    line, words = NONSENSE[name]
    pi = PlayedPi(town, "odd", [device("1-9")])
    wait(lambda: town.device("odd/1-9"))
    before = len(town.events(pi="odd", kind="refused"))
    pi.send(line + b"\n")
    event = wait(lambda: town.events(pi="odd", kind="refused")[before:])[0]
    assert "Pi odd" in event["message"] and words in event["message"]
    wait(lambda: pi.answers("error"))
    assert pi.answers("error")[0]["message"] == event["message"]
    assert town.device("odd/1-9")  # what it said before still holds
    pi.send(json.dumps(pi.hello).encode() + b"\n")
    pi.say({"type": "added", "device": device("1-7")})
    wait(lambda: town.device("odd/1-7"))
    pi.close()
    wait(lambda: not town.pi("odd")["linked"])


def test_texts_that_would_write_over_a_terminal_are_made_harmless(town):
    pi = PlayedPi(town, "odd", [device("1-1", product="a\x1b[2Jb\nc", serial="s" * 4000)])
    wait(lambda: town.device("odd/1-1") and town.device("odd/1-1")["product"] == "a?[2Jb?c")
    assert town.device("odd/1-1")["serial"] == "s" * 255
    assert "\x1b" not in town.cli("devices").stdout
    pi.close()


@pytest.mark.parametrize("flood, refused, words", [
    (b"nonsense\n" * 10000, 20, "line: is no JSON"),
    (b"".join(json.dumps({"type": "added", "device": device(f"{bus}-{port}")}).encode() + b"\n"
              for bus in range(1, 101) for port in range(1, 101)), 1, "at most 128 are allowed"),
], ids=["10000 lines of nonsense", "10000 devices"])
def test_ten_thousand_messages_are_bounded_and_hold_up_nobody(town, flood, refused, words):
    pi = PlayedPi(town, "flood")
    wait(lambda: town.pi("flood") and town.pi("flood")["problem"] == "")

    def pour():
        try:
            pi.send(flood)
        except OSError:
            pass  # closed below, before it was read whole

    def refusals():
        return [event for event in town.events(pi="flood", kind="refused")
                if words in event["message"]]

    pouring = threading.Thread(target=pour)
    pouring.start()
    wait(lambda: len(refusals()) >= refused)
    wait(lambda: [error for error in pi.answers("error") if words in error["message"]])
    town.good.say({"type": "added", "device": device("1-3")})
    wait(lambda: town.device("good/1-3"))
    town.good.say({"type": "removed", "busid": "1-3"})
    wait(lambda: not town.device("good/1-3"))
    assert town.ask("explain", place="3-4")["device"]["id"] == "1a86:55d4"
    assert town.pi("flood")["devices"] <= MOST_DEVICES
    pi.close()
    pouring.join()
    wait(lambda: not town.pi("flood")["linked"])


def test_a_newer_link_of_a_pi_takes_the_place_of_the_older(town):
    older = PlayedPi(town, "twice", [device("1-1")])
    wait(lambda: town.device("twice/1-1"))
    newer = PlayedPi(town, "twice", [device("1-2")])
    wait(lambda: older.ended)
    assert older.answers("error")[-1]["final"]
    wait(lambda: town.device("twice/1-2") and not town.device("twice/1-1"))
    assert town.pi("twice")["linked"]
    newer.close()


def test_silence_is_noticed_and_the_first_word_ends_it(town):
    nameless = socket.socket(socket.AF_UNIX)  # does not even say whose link it is
    nameless.connect(str(town.root / "run/longcord/link.sock"))
    mute = PlayedPi(town, "mute", silent=True)
    wait(lambda: town.pi("mute"))
    assert "not listed" in town.pi("mute")["problem"] or "not linked" in town.pi("mute")["problem"]
    town.says("silent for 3000 ms", pi="mute", kind="unlinked")
    assert town.pi("mute")["problem"] == "not linked"
    mute.silent = False
    mute.devices = [device("1-1")]
    mute.say({"type": "pong", "n": 0})
    wait(lambda: town.device("mute/1-1") and town.pi("mute")["linked"])
    with nameless:
        nameless.settimeout(30)
        assert nameless.recv(1) == b""  # closed by the service
    mute.close()


@pytest.mark.parametrize("preface", [
    b"hello\n", b'{"pi":"../x","address":"127.0.0.1"}\n', b'{"pi":"odd","address":"example.org"}\n',
    b"x" * 70000 + b"\n"], ids=["no JSON", "no name", "no address", "too long"])
def test_a_first_line_that_is_none_ends_the_connection(town, preface):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(town.root / "run/longcord/link.sock"))
        try:
            client.sendall(preface)
            assert client.recv(1) == b""
        except ConnectionError:
            pass
