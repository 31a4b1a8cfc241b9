# SPDX-License-Identifier: MIT
"""A Pi's serial port on an address of the node: the real longcord-host and longcord-pi, with Debian's
sshd between them, paired as people do it. The test is the board, the clients, and the wire."""
import json
import os
import random
import re
import select
import signal
import socket
import subprocess
import sys

import pytest
import serial
from between import Between
from host_world import wait
from own_network import cable
from pairing_world import Node, Pi, free_port
from serial_boards import Boards
from serial_port import REPOSITORY, Client

sys.path.insert(0, str(REPOSITORY / "tests" / "serial"))
from tools import compiled  # noqa: E402

EVERY_BYTE = bytes(range(256))
SECRET = b"the word that no wire may see"


class SealedPi(Pi):
    """Its serial ports are on an address of loopback that is its own; board 1-1 has TCP port 4000."""

    def __init__(self):
        super().__init__()
        self.boards = Boards(self.root)
        self.address = f"127.{random.randint(1, 254)}.{random.randint(0, 254)}.{random.randint(1, 254)}"
        self.usbip_port = free_port()
        (self.root / "etc/longcord/pi.yaml").write_text(json.dumps(
            {"usbip_port": self.usbip_port, "serial": {"listen": [self.address]}}))

    def serial_port(self):
        return {each["name"]: each for each in self.ask("status")["serial_ports"]}.get("1-1", {})

    def close(self):
        self.boards.close()
        super().close()


class OfferingNode(Node):
    def offer(self, *offers, pis=None):
        (self.root / "etc/longcord/host.yaml").write_text(json.dumps(
            {"node": self.name, "ssh_port": self.port, "pis": pis or {},
             "serial": {"offers": [{"pi": "workbench", "port": 4000, **offer} for offer in offers]}}))
        if self.process:
            self.process.send_signal(signal.SIGHUP)

    def offers(self):
        return {each["listen"]: each for each in self.ask("status")["serial_offers"]}

    def kinds(self, kind):
        return [event["message"] for event in self.ask("events")["events"] if event["kind"] == kind]


class Sealed:
    def __init__(self, machines):
        self.pi, self.node, self.port = SealedPi(), OfferingNode(), free_port()
        machines += [self.pi, self.node]
        self.listen = f"127.0.0.1:{self.port}"
        self.wire = Between(self.pi.usbip_port)
        self.pis = {"workbench": {"address": f"127.0.0.1:{self.wire.port}"}}
        self.offer()
        self.node.up()
        self.pi.serve()
        self.board = self.pi.boards.plug("1-1")
        wait(lambda: self.pi.ask("devices")["devices"])
        assert self.pi.cli("mode", "1-1", "serial").returncode == 0
        wait(lambda: self.pi.serial_port().get("present"))
        joined = self.pi.cli("join", self.node.pair("workbench"))  # on a busy machine it links later
        assert 'this Pi is "workbench"' in joined.stdout, joined
        self.node.wait_linked("workbench")

    def offer(self, *offers):
        self.node.offer(*offers or [{"listen": self.listen}], pis=self.pis)

    def connect(self):
        return Client(self.port)

    def exchange(self, client, text=SECRET):
        client.send(text)
        assert self.board.hear(len(text)) == text
        self.board.say(text[::-1])
        assert client.receive(len(text)) == text[::-1]

    def begin_anew(self):
        """As after the pairing, for the next test."""
        self.offer()
        wait(lambda: set(self.node.offers()) == {self.listen})
        wait(lambda: self.node.offers()[self.listen]["clients"] == 0)
        os.set_blocking(self.board.master, False)
        while not self.board.heard_nothing() or self.pi.serial_port()["owner"]:
            if not self.board.heard_nothing():
                os.read(self.board.master, 65536)
        self.wire.seen = b""


@pytest.fixture(scope="module")
def paired():
    """One pairing for all: sshd and its namespace take their time."""
    machines = []
    try:
        world = Sealed(machines)
        yield world
        world.wire.close()
    finally:
        for machine in reversed(machines):
            machine.close()


@pytest.fixture
def sealed(paired):
    paired.begin_anew()
    return paired


def test_a_serial_port_crosses_the_network_sealed(sealed):
    (offer,) = sealed.node.offers().values()
    assert offer == {"pi": "workbench", "port": "4000", "listen": sealed.listen, "listening": True, "clients": 0}
    client = sealed.connect()
    data = EVERY_BYTE * 64
    sealed.exchange(client)
    sealed.exchange(client, data)
    assert wait(lambda: sealed.node.offers()[sealed.listen]["clients"]) == 1
    host, port = client.socket.getsockname()
    assert sealed.pi.serial_port()["owner"] == f"pve1 for {host}:{port}"
    assert sealed.wire.seen.startswith(b"LCRD\0\0\0\1")
    assert len(sealed.wire.seen) > 2 * len(data)
    for secret in (SECRET, SECRET[::-1], EVERY_BYTE[32:64], EVERY_BYTE[32:64][::-1]):
        assert secret not in sealed.wire.seen
    sealed.node.says(f"{host}:{port} is carried to its serial port 4000", kind="serial-opened")
    client.close()
    sealed.node.says(f"{host}:{port} is carried to its serial port 4000 no more", kind="serial-closed")
    wait(lambda: sealed.pi.serial_port()["owner"] is None)
    assert sealed.node.offers()[sealed.listen]["clients"] == 0


@pytest.mark.parametrize("query", ["", "?ign_set_control"])
def test_pyserial_through_the_node(sealed, query):
    with serial.serial_for_url(f"rfc2217://{sealed.listen}{query}", baudrate=9600, timeout=10) as port:
        port.baudrate = 921600
        assert sealed.pi.serial_port()["baud"] == 921600
        port.write(EVERY_BYTE)
        assert sealed.board.hear(256) == EVERY_BYTE
        sealed.board.say(EVERY_BYTE)
        assert port.read(256) == EVERY_BYTE


def test_eight_megabytes_both_ways_at_once_lose_nothing(sealed):
    os.set_blocking(sealed.board.master, True)
    command = [str(compiled("load.cpp")), "both", "--port", str(sealed.port), "--size", "8000000",
               "--master", str(sealed.board.master), "--telnet"]  # whose answer tells that the port is open
    done = subprocess.run(command, pass_fds=[sealed.board.master], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["bytes"] == 8000000


def test_who_comes_second_is_told_on_either_way_who_has_it(sealed):
    first = sealed.connect()
    sealed.exchange(first)
    name = "%s:%d" % first.socket.getsockname()
    assert f"1-1: held by pve1 for {name}".encode() in sealed.connect().rest()
    with socket.create_connection((sealed.pi.address, 4000)) as straight:
        assert f"1-1: held by pve1 for {name}".encode() in straight.recv(4096)
    sealed.exchange(first)
    first.close()
    sealed.exchange(sealed.connect())


def test_what_a_client_sent_before_it_left_arrives(sealed):
    data = EVERY_BYTE * 1024
    client = sealed.connect()
    client.send(data)
    client.close()
    assert sealed.board.hear(len(data)) == data


def test_an_address_that_is_not_allowed_is_refused_until_host_yaml_says_otherwise(sealed):
    with cable() as net:
        everywhere = f"0.0.0.0:{sealed.port}"
        sealed.offer({"listen": everywhere, "allow": ["10.97.0.7"]})
        wait(lambda: everywhere in sealed.node.offers())
        mine = sealed.connect()  # the node itself always may
        sealed.exchange(mine)
        for _ in range(3):
            with net.connect("10.97.0.1", sealed.port) as refused:
                assert b"10.97.0.2 may not use this port" in refused.recv(4096)
        (refusal,) = sealed.node.kinds("serial-refused")
        assert "10.97.0.2" in refusal and "'allow'" in refusal
        assert SECRET not in sealed.wire.seen

        sealed.offer({"listen": everywhere, "allow": ["10.97.0.0/24"]})
        sealed.exchange(mine)  # a reload takes nobody's connection
        mine.close()
        wait(lambda: sealed.pi.serial_port()["owner"] is None)

        def let_in():
            client = Client.__new__(Client)
            client.socket = net.connect("10.97.0.1", sealed.port)
            client.send(b"?")
            ready, _, _ = select.select([sealed.board.master, client.socket], [], [], 30)
            return client if sealed.board.master in ready else client.close()
        client = wait(let_in)
        assert sealed.board.hear(1) == b"?"
        sealed.exchange(client)
        client.close()


def test_a_client_that_is_cut_off_behind_the_node_loses_the_port(sealed):
    with cable() as net:
        everywhere = f"0.0.0.0:{sealed.port}"
        sealed.offer({"listen": everywhere, "allow": ["any"]})
        wait(lambda: everywhere in sealed.node.offers())
        gone = Client.__new__(Client)
        gone.socket = net.connect("10.97.0.1", sealed.port)
        sealed.exchange(gone)
        net.ip("route add blackhole 10.97.0.1/32")
        sealed.board.say(b"are you there?")
        sealed.node.says("no more: no answer for 5 s", kind="serial-closed")
        wait(lambda: sealed.pi.serial_port()["owner"] is None)
        sealed.exchange(sealed.connect())
        gone.close()


def test_a_client_that_does_not_read_for_long_loses_nothing(sealed):
    """Longer than the 3 s after which a stream of a USB device would be given up."""
    client = sealed.connect()
    sealed.exchange(client)
    said = 0
    while select.select([], [sealed.board.master], [], 1)[1]:
        said += os.write(sealed.board.master, b"log " * 1024)

    def pauses():
        done = subprocess.run(["ss", "-Htno", "state", "established", "sport", "=", f":{sealed.pi.usbip_port}"],
                              capture_output=True, text=True, check=True)
        return [float(pause) for pause in re.findall(r"persist,([0-9.]+)sec", done.stdout)]
    wait(lambda: any(pause > 4 for pause in pauses()))
    assert client.receive(said) == b"log " * (said // 4)
    sealed.exchange(client)


def test_a_pi_that_is_not_linked_closes_clients_at_once_and_says_so(sealed):
    client = sealed.connect()
    sealed.exchange(client)
    sealed.node.stop_sshd()
    client.rest()
    sealed.node.says("no more: the link of Pi workbench went down", kind="serial-closed")
    wait(lambda: sealed.pi.serial_port()["owner"] is None)
    assert b"Pi workbench is not linked" in sealed.connect().rest()
    sealed.node.says("Pi workbench is not linked", kind="serial-failed")

    sealed.node.start_sshd()
    sealed.node.wait_linked("workbench")
    sealed.exchange(sealed.connect())


def test_a_port_that_is_not_there_is_named(sealed):
    sealed.offer({"listen": sealed.listen, "port": 4009})
    wait(lambda: sealed.node.offers()[sealed.listen]["port"] == "4009")
    assert b"Pi workbench refuses: no serial port is served on TCP port 4009" in sealed.connect().rest()
    sealed.node.says("no serial port is served on TCP port 4009", kind="serial-failed")


@pytest.mark.parametrize("place", ["1-1", "platform-fe9c0000.xhci/1"])
def test_a_port_is_found_by_its_place_too(sealed, place):
    sealed.node.offer(pis=sealed.pis)
    wait(lambda: not sealed.node.offers())
    config = json.loads((sealed.node.root / "etc/longcord/host.yaml").read_text())
    config["serial"]["offers"] = [{"pi": "workbench", "place": place, "listen": sealed.listen}]
    (sealed.node.root / "etc/longcord/host.yaml").write_text(json.dumps(config))
    sealed.node.process.send_signal(signal.SIGHUP)
    wait(lambda: sealed.listen in sealed.node.offers())
    sealed.exchange(sealed.connect())


def test_an_offer_that_goes_takes_its_clients_along(sealed):
    client = sealed.connect()
    sealed.exchange(client)
    sealed.node.offer(pis=sealed.pis)
    client.rest()
    with pytest.raises(ConnectionRefusedError):
        sealed.connect()
    wait(lambda: sealed.pi.serial_port()["owner"] is None)


def test_status_shows_offers_to_people(sealed):
    text = sealed.node.cli("status").stdout
    assert "workbench/4000" in text and sealed.listen in text
