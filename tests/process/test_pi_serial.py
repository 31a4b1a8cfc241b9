# SPDX-License-Identifier: MIT
"""Mode serial of longcord-pi: from a device in sysfs to bytes over TCP. The real service and the real
command line; /sys is a small fake, the terminals are pseudo terminals."""
import json
import os
import random
import signal
import socket
import subprocess

import pytest
from serial_boards import KEYS, Boards
from serial_port import Board, Client
from serial_port import binary as longcord
from test_pi import Pi, wait


class SerialPi(Pi):
    """`address` is this test's own one of loopback, so that port 4000 is free there."""

    def __init__(self, root):
        super().__init__(root)
        self.address = f"127.{random.randint(1, 254)}.{random.randint(0, 254)}.{random.randint(1, 254)}"
        self.world = Boards(root)
        self.boards, self.hub = self.world.at, self.world.hub
        self.settings()

    def settings(self, **serial):
        self.config.write_text(json.dumps({"serial": {"listen": [self.address], **serial}}))

    def listen_at(self, address):
        """There only; its own clients come from there. Returns the TCP port that 1-1 gets."""
        self.address = address
        with socket.create_server((address, 0)) as free:
            port = free.getsockname()[1]
        self.settings(ports={"1-1": port})
        return port

    def reload(self, **serial):
        self.settings(**serial)
        self.process.send_signal(signal.SIGHUP)

    def plug(self, busid, *what, **values):
        self.world.plug(busid, *what, **values)
        wait(lambda: busid in self.devices())
        return self.boards[busid]

    def unplug(self, busid):
        self.world.unplug(busid)
        wait(lambda: busid not in self.devices())

    def devices(self):
        return {each["place"]: each for each in self.ask("devices")["result"]["devices"]}

    def status(self):
        return self.ask("status")["result"]

    def ports(self):
        return {each["name"]: each for each in self.status()["serial_ports"]}

    def served(self, busid):
        """Its TCP port, once its terminal is there."""
        wait(lambda: self.ports().get(busid, {}).get("present"))
        (port,) = self.devices()[busid]["serial_ports"]
        assert port == self.ports()[busid] and port["listening"]
        return port["port"]

    def cli(self, *arguments, code=0):
        done = subprocess.run([longcord(), *arguments], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "LONGCORD_ROOT": str(self.root)})
        assert done.returncode == code, done
        return done.stdout

    def mode(self, busid, mode):
        self.cli("mode", busid, mode)

    def connect(self, port, address=None):
        client = Client.__new__(Client)
        client.socket = socket.create_connection((address or self.address, port), 30)
        return client

    def events(self, kind):
        return [each for each in self.ask("events")["result"]["events"] if each["kind"] == kind]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0
        assert "Sanitizer" not in self.log.read_text(), self.log.read_text()


@pytest.fixture
def pi(tmp_path):
    machine = SerialPi(tmp_path)
    yield machine
    if machine.process and machine.process.poll() is None:
        machine.process.kill()
        machine.process.wait()
    machine.world.close()
    assert not machine.log.exists() or "Sanitizer" not in machine.log.read_text()


def exchange(client, board, text=b"ping"):
    client.send(text)
    assert board.hear(len(text)) == text
    board.say(text[::-1])
    assert client.receive(len(text)) == text[::-1]


def outside_address():
    found = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    return next((each for each in found if "." in each and not each.startswith("127.")), None)


def test_a_device_in_mode_serial_is_a_tcp_port(pi):
    pi.serve()
    board = pi.plug("1-1")
    assert pi.status()["serial_ports"] == []
    pi.mode("1-1", "serial")
    assert pi.served("1-1") == 4000
    assert pi.devices()["1-1"]["mode"] == "serial"
    (event,) = pi.events("serial-port")
    assert (event["place"], event["message"]) == ("1-1", "is served on TCP port 4000")
    client = pi.connect(4000)
    exchange(client, board)
    port = pi.ports()["1-1"]
    host, number = client.socket.getsockname()
    assert port["owner"] == f"{host}:{number}"
    assert port["tty"].endswith("/dev/ttyUSB0") and port["controller_place"] == KEYS["1-1"]
    assert (port["observe_port"], port["observers"], port["baud"]) == (None, 0, 115200)
    assert pi.events("serial-owner")[0]["place"] == "1-1"
    client.close()
    wait(lambda: pi.events("serial-free"))
    assert pi.ports()["1-1"]["owner"] is None


def test_it_listens_on_the_addresses_of_pi_yaml_and_nowhere_else(pi):
    pi.serve()
    pi.plug("1-1")
    pi.mode("1-1", "serial")
    pi.connect(pi.served("1-1"))
    host, port = pi.address.rsplit(".", 1)
    with pytest.raises(ConnectionRefusedError):
        pi.connect(4000, f"{host}.{int(port) % 254 + 1}")


def test_back_to_usbip_the_port_is_closed_and_its_client_too(pi):
    pi.serve()
    pi.plug("1-1")
    pi.mode("1-1", "serial")
    client = pi.connect(pi.served("1-1"))
    wait(lambda: pi.ports()["1-1"]["owner"])
    pi.mode("1-1", "usbip")
    client.rest()
    wait(lambda: pi.events("serial-closed"))
    assert pi.ports() == {}
    with pytest.raises(ConnectionRefusedError):
        pi.connect(4000)


def test_a_place_keeps_its_port_over_a_replug_a_restart_and_other_places(pi):
    pi.serve()
    pi.plug("1-2", tty="ttyUSB1")
    pi.mode("1-2", "serial")
    assert pi.served("1-2") == 4000
    pi.plug("1-1")
    pi.mode("1-1", "serial")
    assert pi.served("1-1") == 4001
    pi.unplug("1-2")
    pi.plug("1-2", tty="ttyUSB7")
    assert pi.served("1-2") == 4000
    kept = json.loads((pi.root / "var/lib/longcord/serial_ports.json").read_text())
    assert kept == {"ports": [{"place": KEYS["1-1"], "port": 4001}, {"place": KEYS["1-2"], "port": 4000}]}
    pi.stop()
    pi.serve()
    assert (pi.served("1-1"), pi.served("1-2")) == (4001, 4000)


def test_pi_yaml_says_which_port_a_place_has(pi):
    pi.settings(ports={"1-1": 4007})
    pi.serve()
    pi.plug("1-1")
    pi.mode("1-1", "serial")
    assert pi.served("1-1") == 4007
    pi.reload(ports={KEYS["1-1"]: 4008})
    wait(lambda: pi.ports()["1-1"]["port"] == 4008)
    exchange(pi.connect(pi.served("1-1")), pi.boards["1-1"])


def test_a_replugged_board_keeps_its_tcp_session(pi):
    pi.serve()
    pi.plug("1-1")
    pi.mode("1-1", "serial")
    client = pi.connect(pi.served("1-1"))
    exchange(client, pi.boards["1-1"])
    pi.unplug("1-1")
    wait(lambda: not pi.ports()["1-1"]["present"])
    assert pi.ports()["1-1"]["owner"] and pi.ports()["1-1"]["tty"] is None
    assert client.silent()
    for words in (b"again", b"the same name"):  # what is said while it is away is lost, as on a cable
        board = pi.plug("1-1", tty="ttyUSB1")
        wait(lambda: pi.ports()["1-1"]["present"])
        exchange(client, board, words)
        pi.unplug("1-1")
        wait(lambda: not pi.ports()["1-1"]["present"])


def test_a_board_that_stays_away_costs_its_client_after_the_hold_and_not_the_port(pi):
    pi.settings(hold="200ms")
    pi.serve()
    pi.plug("1-1")
    pi.mode("1-1", "serial")
    client = pi.connect(pi.served("1-1"))
    wait(lambda: pi.ports()["1-1"]["owner"])
    pi.unplug("1-1")
    assert b"has been gone for 0.2 s" in client.rest()
    assert b"not plugged in" in pi.connect(4000).rest()
    board = pi.plug("1-1")
    exchange(pi.connect(pi.served("1-1")), board)


def test_another_device_there_that_is_not_serial_ends_the_port(pi):
    pi.serve()
    pi.plug("1-1")
    pi.cli("mode", "10c4:ea60", "serial")
    pi.served("1-1")
    pi.unplug("1-1")
    assert "1-1" in pi.ports()
    pi.plug("1-1", idVendor="1a86")
    wait(lambda: pi.ports() == {})


def test_each_terminal_of_a_device_is_a_port(pi):
    pi.serve()
    pi.hub.joinpath("1-1/1-1:1.1/ttyUSB1/tty/ttyUSB1").mkdir(parents=True)
    second = Board(pi.root / "dev/ttyUSB1")
    first = pi.plug("1-1")
    pi.mode("1-1", "serial")
    wait(lambda: len(pi.ports()) == 2 and all(port["present"] for port in pi.ports().values()))
    assert {name: port["port"] for name, port in pi.ports().items()} == {"1-1": 4000, "1-1:1.1": 4001}
    exchange(pi.connect(4000), first)
    exchange(pi.connect(4001), second)
    assert len(pi.devices()["1-1"]["serial_ports"]) == 2
    second.close()


def test_observers_mode_and_log_of_pi_yaml(pi):
    pi.settings(observers=True, modes={"1-1": "esp"}, logs="/var/log/longcord")
    (pi.root / "var/log/longcord").mkdir(parents=True)
    pi.serve()
    board = pi.plug("1-1")
    pi.mode("1-1", "serial")
    observer = pi.connect(pi.served("1-1") + 1000)
    wait(lambda: pi.ports()["1-1"]["observers"] == 1)
    assert pi.events("serial-observer")
    assert (pi.ports()["1-1"]["mode"], pi.ports()["1-1"]["observe_port"]) == ("esp", 5000)
    board.say(b"boot")
    assert observer.receive(4) == b"boot"
    log = pi.root / "var/log/longcord/platform-fe9c0000.xhci-1.log"
    wait(lambda: log.exists() and log.read_bytes() == b"boot")


def test_who_is_not_allowed_is_an_event_and_can_be_let_in_by_one_step(pi):
    address = outside_address()
    assert address, "this machine has no address but loopback"
    port = pi.listen_at(address)
    pi.serve()
    pi.plug("1-1")
    pi.mode("1-1", "serial")
    assert pi.served("1-1") == port
    for _ in range(3):
        assert b"may not use this port" in pi.connect(port).rest()
    (event,) = pi.events("serial-refused")  # the same address: one a minute
    assert (event["place"], event["address"]) == ("1-1", address)
    assert f"longcord serial allow {address}`" in event["message"]
    listed = json.loads(pi.cli("serial", "allow", "--json"))
    assert listed == {"allow": [], "refused": [{"address": address, "place": "1-1", "times": 3}]}
    assert address in pi.cli("serial", "allow")

    pi.cli("serial", "allow", address)
    exchange(pi.connect(port), pi.boards["1-1"])
    assert json.loads(pi.cli("serial", "allow", "--json")) == {
        "allow": [{"address": address, "by": "hand"}], "refused": []}
    pi.stop()
    pi.serve()
    pi.served("1-1")
    exchange(pi.connect(port), pi.boards["1-1"])

    pi.cli("serial", "allow", "--remove", address)
    assert b"may not use this port" in pi.connect(port).rest()
    pi.reload(ports={"1-1": port}, allow=["local-net", f"{address}/32"])
    wait(lambda: len(json.loads(pi.cli("serial", "allow", "--json"))["allow"]) == 2)
    exchange(pi.connect(port), pi.boards["1-1"])
    pi.reload(ports={"1-1": port})
    wait(lambda: not json.loads(pi.cli("serial", "allow", "--json"))["allow"])
    assert b"may not use this port" in pi.connect(port).rest()

    # A node of this Pi may, by its address in pi.yaml, linked or not.
    config = json.loads(pi.config.read_text())
    pi.config.write_text(json.dumps({**config, "nodes": [f"{address}:1"]}))
    pi.process.send_signal(signal.SIGHUP)
    wait(lambda: json.loads(pi.cli("serial", "allow", "--json"))["allow"] == [{"address": address, "by": "node"}])
    exchange(pi.connect(port), pi.boards["1-1"])


@pytest.mark.parametrize("bad", ["pve1", "10.0.0.0/33", "", "10.0.0.1 "])
def test_what_is_no_address_is_not_let_in(pi, bad):
    pi.serve()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(pi.root / "run/longcord/pi.sock"))
        client.sendall(json.dumps({"verb": "serial-allow", "args": {"address": bad}}).encode() + b"\n")
        answer = json.loads(client.makefile().readline())
    assert answer["error"]["kind"] == "invalid"
    assert not (pi.root / "var/lib/longcord/serial_allow.json").exists()


def test_taking_back_what_was_never_let_in_says_so(pi):
    pi.serve()
    pi.cli("serial", "allow", "--remove", "10.0.0.1", code=1)
    pi.cli("serial", "allow", "--remove", code=2)


def test_a_port_that_is_taken_is_a_problem_until_it_is_free(pi):
    pi.serve()
    with socket.create_server((pi.address, 4000)):
        pi.plug("1-1")
        pi.mode("1-1", "serial")
        wait(lambda: "1-1" in pi.ports())
        assert not pi.ports()["1-1"]["listening"]
        assert "port 4000" in pi.ports()["1-1"]["problem"]
        assert any("1-1 is not served" in problem for problem in pi.status()["problems"])
    exchange(pi.connect(pi.served("1-1")), pi.boards["1-1"])
    assert not any("is not served" in problem for problem in pi.status()["problems"])


@pytest.mark.parametrize("file", ["serial_ports.json", "serial_allow.json"])
def test_a_broken_file_is_a_problem_and_is_not_written_over(pi, file):
    broken = pi.root / "var/lib/longcord" / file
    broken.parent.mkdir(parents=True)
    broken.write_text('{"ports": [{"place": "x", "po')
    pi.serve()
    pi.plug("1-1")
    pi.mode("1-1", "serial")
    exchange(pi.connect(pi.served("1-1")), pi.boards["1-1"])
    assert any(str(broken) in problem for problem in pi.status()["problems"])
    pi.cli("serial", "allow", "10.0.0.1", code=1 if "allow" in file else 0)
    assert broken.read_text().startswith('{"ports": [{"place": "x"')


def test_status_shows_the_ports_to_people(pi):
    pi.serve()
    pi.plug("1-1")
    pi.mode("1-1", "serial")
    pi.served("1-1")
    text = pi.cli("status", code=5)
    assert "Serial ports" in text and "4000" in text and "ttyUSB0" in text
    pi.unplug("1-1")
    wait(lambda: "not plugged in" in pi.cli("status", code=5))
