# SPDX-License-Identifier: MIT
"""USB/IP servers that answer longcord-host short, wrong or never. Each device's `why` names server,
busid and reason; it is tried again, less and less often; and other devices lose nothing."""
from datetime import datetime

import pytest
from host_world import World, wait
from played_pi import PlayedPi, UsbipServer, device, import_reply

DEVNUM = 3

# busid -> (what the server answers, what is said of it)
ANSWERS = {
    "1-1": (b"", "the server closed the connection without an answer"),
    "1-2": (import_reply("1-2")[:4], "the answer ends after 4 of 8 bytes"),
    "1-3": (import_reply("1-3")[:108], "the answer ends after 108 of 320 bytes"),
    "1-4": (import_reply("1-4", version=0x0106), "USB/IP version 0x0106, not 0x0111"),
    "1-5": (import_reply("1-5", code=5), "code 0x0005, not 0x0003"),
    "1-6": (import_reply("9-9"), "it answered for 9-9 instead"),
    "1-7": (import_reply("../../x"), "is no USB/IP busid"),
    "1-8": (import_reply("1-8", speed=77), "77 is no USB speed"),
    "1-9": (b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 500, "USB/IP version 0x4854"),
    "1-10": (import_reply("1-10", product=0xc31c), "it is 1a86:c31c, announced was 1a86:55d4"),
    "1-11": (import_reply("1-11", devnum=DEVNUM + 1), "is bus 1 device 4, announced was bus 1 device 3"),
    "1-12": (import_reply("1-12", speed=5), "speed is"),
    **{f"2-{status}": (import_reply(f"2-{status}", status=status)[:8], f"(status {status})")
       for status in range(1, 6)},
    "2-6": (import_reply("2-6", status=99)[:8], "unknown status 99"),
    "2-7": (None, "0 of 8 bytes of the answer came in time"),
}


@pytest.fixture(scope="module")
def town(qemu):
    """The Pi "bad" has all of these at once; the Pi "good" has a server that works."""
    node = World(qemu)
    node.local.plug("3-4", devnum=7)
    node.rules(100, "bad\ngood\ndead\n")
    node.serve()
    node.server = UsbipServer({busid: answer for busid, (answer, _) in ANSWERS.items()})
    node.good_server = UsbipServer()
    node.bad = PlayedPi(node, "bad", [device(busid) for busid in ANSWERS], node.server.port)
    pid = node.process.pid
    yield node
    assert node.alive() and node.process.pid == pid, node.log.read_text()
    node.bad.close()
    node.server.close()
    node.good_server.close()
    node.close()


@pytest.mark.parametrize("busid", ANSWERS)
def test_a_bad_answer_is_told_with_server_busid_and_reason(town, busid):
    place, words = f"bad/{busid}", ANSWERS[busid][1]
    entry = town.stands(place, words)
    assert f"USB/IP server 127.0.0.1:{town.server.port}, device {busid}: " in entry["why"]
    assert entry["vmid"] == 100
    town.says(words, kind="failed", place=place)
    wait(lambda: [state for state in town.bad.answers("state")
                  if state["busid"] == busid and words in state["why"]])


def test_it_is_tried_again_less_and_less_often(town):
    def failures():
        return [datetime.fromisoformat(event["time"])
                for event in town.events(kind="failed", place="bad/1-1")]
    times = wait(lambda: len(failures()) >= 4 and failures())
    waits = [(later - earlier).total_seconds() for earlier, later in zip(times, times[1:])]
    for waited, least in zip(waits, (0.5, 1, 2)):
        assert waited >= least - 0.01


def test_none_of_them_ever_reached_the_kernel(town):
    town.stands("bad/2-7", "in time")  # the last
    assert [entry for entry in town.vhci.attached if entry[2] != 5 << 16 | DEVNUM] == []


def test_a_server_that_is_not_there_is_told_too(town):
    gone = UsbipServer()
    gone.close()
    pi = PlayedPi(town, "dead", [device("1-1")], gone.port)
    entry = town.stands("dead/1-1", "Connection refused")
    assert f"USB/IP server 127.0.0.1:{gone.port}, device 1-1" in entry["why"]
    pi.close()


def test_meanwhile_another_pi_imports_and_a_local_device_explains_itself(town):
    town.good_server.serve("5-1")
    town.vhci.devices[5 << 16 | DEVNUM] = {}
    pi = PlayedPi(town, "good", [device("5-1")], town.good_server.port)
    town.says("import good/5-1", kind="imported")
    assert [(entry[2], entry[3]) for entry in town.vhci.attached] == [(5 << 16 | DEVNUM, 2)]
    town.stands("good/5-1", "QEMU says")
    explained = town.ask("explain", place="3-4")
    assert [rule["verdict"] for rule in explained["rules"]] == ["no match"] * 3
    pi.close()
