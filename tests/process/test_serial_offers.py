# SPDX-License-Identifier: MIT
"""What longcord-host does with an offered serial port when the Pi's side is not as it should be. The Pi
and the far end of the seal are played; longcord-host is real."""
import json
import select
import signal
import socket
import threading

import pytest
from host_world import wait
from played_pi import KEYS, PlayedPi, expect_stream
from sealed import PREFACE, PREFACE_SIZE, SealedSocket
from serial_port import Client

MAX_CLIENTS = 32


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class SerialOfPi:
    """The Pi's port: `streams` are those that showed a good ticket, opened."""

    def __init__(self):
        self.streams = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            preface = stream.recv(PREFACE_SIZE, socket.MSG_WAITALL)
            keys = KEYS.pop(preface[len(PREFACE):], None)
            if preface[:len(PREFACE)] != PREFACE or keys is None:
                stream.close()
            else:
                self.streams.append(SealedSocket(stream, keys))

    def stream(self, number=0):
        wait(lambda: len(self.streams) > number)
        return self.streams[number]

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for stream in self.streams:
            stream.close()


@pytest.fixture
def far():
    port = SerialOfPi()
    yield port
    port.close()


@pytest.fixture
def offering(world):
    world.offered = free_port()
    world.config.write_text(json.dumps({"node": "pve1", "serial": {"offers": [
        {"pi": "workbench", "port": 4000, "listen": f"127.0.0.1:{world.offered}"}]}}))
    world.process.send_signal(signal.SIGHUP)
    wait(lambda: world.ask("status")["serial_offers"])
    return world


@pytest.fixture
def play(offering, far):
    pis = []

    def start(opens=expect_stream):
        pis.append(PlayedPi(offering, "workbench", [], far.port, opens=opens))
        wait(lambda: offering.pi("workbench") and pis[-1].answers("welcome"))
        wait(lambda: offering.events(kind="devices"))
        return pis[-1]
    yield start
    for pi in pis:
        pi.close()


def closed(client):
    """What it was told, once it is closed; a reset counts as closed."""
    try:
        return client.rest()
    except ConnectionResetError:
        return b""


def test_open_names_the_port_and_the_client_and_has_a_secret_of_its_own(offering, far, play):
    pi = play()
    clients = [Client(offering.offered) for _ in range(2)]
    opens = wait(lambda: len(pi.answers("open")) == 2 and pi.answers("open"))
    names = {"%s:%d" % client.socket.getsockname() for client in clients}
    assert {message["client"] for message in opens} == names
    assert all(message["serial"] == "4000" and "busid" not in message for message in opens)
    secrets = [message["ticket"] for message in opens]
    secrets += [message["seal"][side]["key"] for message in opens for side in ("from_pi", "from_node")]
    assert len(set(secrets)) == 6
    far.stream(1)
    for secret in secrets:
        assert secret not in offering.log.read_text() and secret not in str(offering.events())


def test_bytes_go_both_ways_and_each_end_ends_the_other(offering, far, play):
    play()
    client = Client(offering.offered)
    client.send(b"to the board")
    stream = far.stream()
    assert stream.recv(12, socket.MSG_WAITALL) == b"to the board"
    stream.sendall(b"from the board")
    assert client.receive(14) == b"from the board"
    client.close()
    assert stream.recv(1) == b""
    stream.close()
    offering.says("no more", kind="serial-closed")
    again = Client(offering.offered)
    far.stream(1).sendall(b"bye")
    far.stream(1).close()
    assert again.rest() == b"bye"


@pytest.mark.parametrize("opens, why", [
    (lambda message: {"type": "refused", "n": message["n"], "why": "it is painted blue"}, "it is painted blue"),
    (lambda message: {"type": "busy", "n": message["n"], "node": "pve2", "vmid": 7}, "pve2 has it for VM 7"),
    (lambda message: None, "has not answered"),
])
def test_what_the_pi_says_reaches_the_client_and_the_events(offering, play, opens, why):
    play(opens)
    assert why.encode() in closed(Client(offering.offered))
    offering.says(why, kind="serial-failed", pi="workbench")
    assert offering.ask("status")["serial_offers"][0]["clients"] == 0


def test_a_ticket_that_the_port_does_not_know_ends_in_a_closed_connection(offering, play):
    def forget(message):
        return {"type": "opened", "n": message["n"]}
    play(forget)
    assert closed(Client(offering.offered)) == b""


@pytest.mark.parametrize("meddle", [
    lambda record: record[:-1] + bytes([record[-1] ^ 1]),
    lambda record: b"in clear, as it happens, and long enough for a header",
], ids=["a bit is flipped", "in clear"])
def test_a_record_that_is_not_what_was_sent_ends_the_stream(offering, far, play, meddle):
    play()
    client = Client(offering.offered)
    stream = far.stream()
    stream.stream.sendall(meddle(stream.sends.seal(b"open the door")))
    assert closed(client) == b""
    offering.says("no more", kind="serial-closed")


def test_a_pi_that_falls_silent_ends_its_streams(offering, far, play):
    pi = play()
    client = Client(offering.offered)
    far.stream()
    pi.silent = True
    assert closed(client) == b""
    offering.says("the link of Pi workbench went down", kind="serial-closed")


def test_thirty_two_clients_at_a_time(offering, far, play):
    play()
    clients = [Client(offering.offered) for _ in range(MAX_CLIENTS)]
    far.stream(MAX_CLIENTS - 1)
    assert b"32 clients are connected already" in closed(Client(offering.offered))
    clients.pop().close()
    ((left, *_), _, _) = select.select([stream.stream for stream in far.streams], [], [], 30)
    left.close()  # as a Pi does whose client has left
    offering.says("no more", kind="serial-closed")
    Client(offering.offered)
    far.stream(MAX_CLIENTS)


def test_an_address_that_is_taken_is_a_problem_until_it_is_free(offering, far, play):
    play()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        offering.config.write_text(json.dumps({"node": "pve1", "serial": {"offers": [
            {"pi": "workbench", "port": 4000, "listen": f"127.0.0.1:{port}"}]}}))
        offering.process.send_signal(signal.SIGHUP)
        wait(lambda: any("workbench/4000 is not offered" in problem
                         for problem in offering.ask("status")["problems"]))
    wait(lambda: offering.ask("status")["serial_offers"][0]["listening"])
    Client(port).send(b"x")
    assert far.stream().recv(1) == b"x"


def test_nothing_is_offered_by_default(world):
    assert world.ask("status")["serial_offers"] == []
