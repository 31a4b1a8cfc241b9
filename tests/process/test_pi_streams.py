# SPDX-License-Identifier: MIT
"""longcord-pi and streams that somebody in the middle has got at: each ends that stream, and no other. The node is
played, and knows its keys; longcord-pi, sshd and TCP are real, usbip-host is a fake."""
import struct

import pytest
from host_world import wait
from pairing_world import machines_of_a_module  # noqa: F401 (a fixture)
from played_node import NodesEnd, exporting_to_a_played_node, fresh_secret, stream_of

OK = struct.pack(">HHI", 0x0111, 3, 0)


def request(busid):
    return struct.pack(">HHI32s", 0x0111, 0x8003, 0, busid.encode())


@pytest.fixture(scope="module")
def exporting(machines_of_a_module):  # noqa: F811
    """Two exported boards; 1-1 has a stream, and it is the same one from the first test to the last."""
    node, pi = exporting_to_a_played_node(machines_of_a_module)
    pi.good, secret = None, fresh_secret()
    assert node.open("1-1", secret)["type"] == "opened"
    pi.good = NodesEnd(pi.port, secret)
    assert pi.good.import_reply("1-1")[:8] == OK
    wait(lambda: stream_of(pi, "1-1"), pi.text)
    yield node, pi
    pi.good.close()


def records(stream, *contents):
    """As the node's kernel would send them, one after the other."""
    return [stream.sends.seal(content) for content in contents]


def whole(stream):
    return records(stream, request("1-2"))[0]


def halves(stream):
    return records(stream, request("1-2")[:20], request("1-2")[20:])


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


TAMPERED = {
    "a bit of the content is flipped": lambda stream: flipped(whole(stream), 10),
    "a bit of the tag is flipped": lambda stream: flipped(whole(stream), -1 % len(whole(stream))),
    "a bit of the length is flipped": lambda stream: flipped(whole(stream), 4) + bytes(300),
    "the kind of the record is another": lambda stream: flipped(whole(stream), 0),
    "a record is sent twice": lambda stream: halves(stream)[0] * 2,
    "two records have changed places": lambda stream: b"".join(reversed(halves(stream))),
    "a record is left out": lambda stream: halves(stream)[1],
    "it is in clear": lambda stream: request("1-2"),
    "it is empty": lambda stream: records(stream, b"")[0],
    "it is longer than a record may be": lambda stream: b"\x17\x03\x03\xff\xff" + bytes(0xffff),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_was_changed_on_the_way_ends_that_stream_and_nothing_else(exporting, how):
    node, pi = exporting
    secret = fresh_secret()
    assert node.open("1-2", secret)["type"] == "opened"
    stream = NodesEnd(pi.port, secret)
    try:
        stream.socket.sendall(TAMPERED[how](stream))
    except ConnectionError:
        pass  # it is over before all was sent
    assert stream.was_hung_up_on()
    stream.close()
    wait(lambda: stream_of(pi, "1-2") is None, pi.text)
    assert (pi.root / "sys/bus/usb/devices/1-2/usbip_sockfd").read_text() == "\n"  # the kernel got nothing
    assert stream_of(pi, "1-1")["node"] == "pve1" and not node.answers("available")
    # Its device can be had again, with a ticket of its own.
    secret = fresh_secret()
    assert node.open("1-2", secret)["type"] == "opened"
    again = NodesEnd(pi.port, secret)
    assert again.import_reply("1-2")[:8] == OK
    again.close()
    wait(lambda: stream_of(pi, "1-2") is None, pi.text)
    (pi.root / "sys/bus/usb/devices/1-2/usbip_sockfd").write_text("\n")


@pytest.mark.parametrize("size", [1, 5, 30])
def test_a_request_that_is_cut_off_ends_that_stream_and_nothing_else(exporting, size):
    node, pi = exporting
    secret = fresh_secret()
    assert node.open("1-2", secret)["type"] == "opened"
    stream = NodesEnd(pi.port, secret)
    stream.socket.sendall(whole(stream)[:size])
    stream.close()
    wait(lambda: stream_of(pi, "1-2") is None, pi.text)
    assert stream_of(pi, "1-1")["node"] == "pve1"


def test_a_ticket_serves_once_its_own_device_and_its_own_link(exporting):
    node, pi = exporting

    def refused():
        return pi.ask("status")["usbip"]["refused_tickets"]
    before = refused()

    def grows(**by):
        wait(lambda: refused() == {kind: before[kind] + by.get(kind, 0) for kind in before}, refused)
    once = fresh_secret()
    assert node.open("1-2", once)["type"] == "opened"
    other_device = NodesEnd(pi.port, once)
    assert other_device.import_reply("1-1") == b""
    assert NodesEnd(pi.port, once).was_hung_up_on()
    grows(replayed=1)
    closed = fresh_secret()
    assert node.open("1-2", closed)["type"] == "opened"
    node.say({"type": "close", "busid": "1-2"})
    node.wait_read()
    assert NodesEnd(pi.port, closed).was_hung_up_on()
    grows(replayed=1, late=1)
    assert NodesEnd(pi.port, fresh_secret()).was_hung_up_on()
    grows(replayed=1, late=1, wrong=1)
    assert stream_of(pi, "1-1")["node"] == "pve1"


def test_a_stream_that_is_opened_anew_has_ended_and_each_end_is_told_once(exporting):
    """The node knows sooner than the Pi that a stream is over: it opens the next one at once."""
    node, pi = exporting

    def ends():
        return [event["message"] for event in pi.ask("events")["events"]
                if event["kind"] == "stream-ended" and event["place"] == "1-2"]
    before = len(ends())
    secrets = fresh_secret(), fresh_secret()
    assert node.open("1-2", secrets[0])["type"] == "opened"
    old = NodesEnd(pi.port, secrets[0])
    assert old.import_reply("1-2")[:8] == OK
    wait(lambda: stream_of(pi, "1-2"), pi.text)
    assert node.open("1-2", secrets[1])["type"] == "opened"
    assert old.was_hung_up_on()
    (pi.root / "sys/bus/usb/devices/1-2/usbip_sockfd").write_text("\n")  # as its end does in the kernel
    new = NodesEnd(pi.port, secrets[1])
    assert new.import_reply("1-2")[:8] == OK
    wait(lambda: stream_of(pi, "1-2"), pi.text)
    assert ends()[before:] == ["stream to pve1 for VM 100 ended: it is opened anew"]
    new.close()
    wait(lambda: stream_of(pi, "1-2") is None, pi.text)
    assert ends()[before:] == ["stream to pve1 for VM 100 ended: it is opened anew", "stream to pve1 for VM 100 ended"]
    (pi.root / "sys/bus/usb/devices/1-2/usbip_sockfd").write_text("\n")
    old.close()
