# SPDX-License-Identifier: MIT
"""Tickets and keys of streams are on the link and in memory, and nowhere else: whatever a service wrote or said is
searched for them, at the most talkative log level, after streams that worked and streams that did not."""
import base64
import itertools
import json
import resource
import stat

import pytest
from host_world import wait
from pairing_world import machines  # noqa: F401 (a fixture)
from played_node import NodesEnd, exporting_to_a_played_node, fresh_secret, stream_of
from played_pi import PlayedPi, UsbipServer, device, expect_stream

A_PIECE = 12  # bytes: all of an IV, and more of a key than anybody may know


def pieces(secret):
    """The beginnings and ends of a ticket and the keys."""
    texts = [secret["ticket"]] + [side[part] for side in secret["seal"].values() for part in ("key", "iv")]
    values = [bytes.fromhex(text) for text in texts]
    return {piece for value in values for piece in (value[:A_PIECE], value[-A_PIECE:])}


def forms(piece):
    """As somebody may have written these bytes."""
    yield from (piece, piece.hex().encode(), piece.hex().upper().encode(), piece.hex(" ").encode(), piece.hex(":").encode())
    for shift in range(3):  # base64 depends on where in a longer text they began
        text = base64.b64encode(b"\0" * shift + piece)[(shift * 4 + 2) // 3:]
        text = text[:len(text) // 4 * 4 - 4].rstrip(b"=")
        yield from (text, text.replace(b"+", b"-").replace(b"/", b"_"))
    yield from (separator.join(map(str, piece)).encode() for separator in (",", ", "))


def files(*folders):
    for path in itertools.chain.from_iterable(folder.rglob("*") for folder in folders):
        if stat.S_ISREG(path.lstat().st_mode):
            yield str(path), path.read_bytes()


def answers(machine, *more):
    for verb in ("status", "devices", "events", "metrics", *more):
        yield verb, json.dumps(machine.ask(verb), ensure_ascii=False).encode()


def leaks(secrets, texts):
    """Where which form of them stands."""
    wanted = {form for secret in secrets for piece in pieces(secret) for form in forms(piece)}
    return [(name, form) for name, text in texts for form in wanted if form in text]


def writes_no_core(pid):
    return resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)


@pytest.mark.parametrize("written", [
    lambda secret: bytes.fromhex(secret["seal"]["from_pi"]["key"]),
    lambda secret: json.dumps(secret).encode(),
    lambda secret: b"ticket " + secret["ticket"].upper()[:30].encode(),
    lambda secret: b"key=" + base64.b64encode(b"\7" + bytes.fromhex(secret["seal"]["from_node"]["key"])),
    lambda secret: b"iv " + base64.urlsafe_b64encode(bytes.fromhex(secret["seal"]["from_node"]["iv"])),
    lambda secret: str(list(bytes.fromhex(secret["ticket"]))).encode(),
])
def test_the_search_finds_what_it_looks_for(written):
    secret = fresh_secret()
    assert leaks([secret], [("log", b"something; " + written(secret) + b"; more")])
    assert not leaks([secret], [("log", b"something; " + written(fresh_secret()) + b"; more")])


@pytest.fixture
def exporting(machines):  # noqa: F811
    """A Pi with two exported boards, paired with a node that the test then plays."""
    return exporting_to_a_played_node(machines, "log_level: trace\n")


def test_the_pi_keeps_no_key_and_no_ticket_anywhere_but_in_memory(exporting):
    node, pi = exporting
    secrets = []

    def fresh():
        secrets.append(fresh_secret())
        return secrets[-1]

    def refused():
        return pi.ask("status")["usbip"]["refused_tickets"]
    # A stream that works, and its ticket once more.
    assert node.open("1-1", fresh())["type"] == "opened"
    stream = NodesEnd(pi.port, secrets[-1])
    assert stream.import_reply("1-1")[:8] == b"\x01\x11\x00\x03\0\0\0\0"
    wait(lambda: stream_of(pi, "1-1"))
    again = NodesEnd(pi.port, secrets[-1])
    assert again.was_hung_up_on()
    # One whose ticket was never announced; one for another board than it was made for; one under another key.
    assert NodesEnd(pi.port, fresh()).was_hung_up_on()
    assert node.open("1-2", fresh())["type"] == "opened"
    elsewhere = NodesEnd(pi.port, secrets[-1])
    assert elsewhere.import_reply("1-1")[:8] != b"\x01\x11\x00\x03\0\0\0\0"
    assert node.open("1-2", fresh())["type"] == "opened"
    other_keys = NodesEnd(pi.port, {**fresh(), "ticket": secrets[-2]["ticket"]})
    other_keys.send(b"\x01\x11\x80\x03")
    assert other_keys.was_hung_up_on()
    # One that is refused, and messages that are not understood, whichever part is wrong.
    assert node.open("7-7", fresh())["type"] == "refused"
    bad = fresh()
    told = len(pi.text())
    for wrong in ({**bad, "ticket": bad["ticket"][:-1]}, {**bad, "ticket": bad["ticket"] + "0"}, {**bad, "busid": "../x"},
                  {**bad, "seal": {**bad["seal"], "from_pi": {**bad["seal"]["from_pi"], "iv": bad["ticket"]}}},
                  {**bad, "seal": {**bad["seal"], "from_pi": {**bad["seal"]["from_pi"], "key": bad["ticket"][1:] + "g"}}},
                  {**bad, "seal": bad["ticket"]}, {**bad, "vmid": bad["ticket"]}, {**bad, "type": "unheard of"}):
        node.say({"type": "open", "n": 999, "busid": "1-2", "vmid": 100, **wrong})
    node.wait_read()
    assert len(pi.text()) > told
    assert refused() == {"wrong": 1, "replayed": 1, "late": 0}
    assert writes_no_core(pi.process.pid)
    said = [("to the node", json.dumps(node.heard).encode()), *answers(pi), *files(pi.root)]
    assert any(name.endswith("/log") and b"1-1" in text for name, text in said)
    assert leaks(secrets, said) == []
    stream.close()
    pi.stop()
    assert leaks(secrets, files(pi.root)) == []


def test_the_node_keeps_none_either(idle_world):
    world, heard = idle_world, []
    world.config.write_text("node: pve1\nlog_level: trace\n")
    world.vhci.devices[1 << 16 | 3] = {}
    world.rules(100, "workbench\n")
    world.serve()
    server = UsbipServer()
    server.serve("1-1")

    def opens(message):
        """1-1 works; of the others one is not known to the server, one refused, one answered with nonsense."""
        heard.append({"ticket": message["ticket"], "seal": message["seal"]})
        n = message["n"]
        if message["busid"] == "1-1":
            return expect_stream(message)
        if message["busid"] == "1-3":
            return {"type": "refused", "n": n, "why": "16 devices are exported already"}
        return {"type": "opened", "n": n if message["busid"] == "1-2" else "nonsense"}
    boards = [device(f"1-{number}") for number in (1, 2, 3, 4)]
    pi = PlayedPi(world, "workbench", boards, server.port, opens=opens)
    world.says("import workbench/1-1", kind="imported")
    world.stands("workbench/1-2", "closed the connection without an answer")
    world.stands("workbench/1-3", "16 devices are exported already")
    world.stands("workbench/1-4", "has not answered")
    assert len(heard) >= 4
    assert writes_no_core(world.process.pid)
    said = [*answers(world, "pis"), ("explain", json.dumps(world.ask("explain", place="workbench/1-1")).encode()),
            *files(world.root)]
    assert any(name.endswith("/log") and b"workbench/1-1" in text for name, text in said)
    assert leaks(heard, said) == []
    world.stop()
    assert leaks(heard, files(world.root)) == []
    pi.close()
    server.close()
