"""Mode serial of the Pi's service: a board becomes a TCP port by `longcord mode`, the node opens it with Debian's
python3-serial by its pairing alone, and a replug costs neither the port nor the session."""

import json
import threading

import pytest
from lab.esp_board import EspBoard

PI = "10.77.0.2"
BOARD = EspBoard()


@pytest.fixture
def served(longcord, lab):
    """The board, its place on the Pi, and its TCP port."""
    busid = lab.pi.plug(BOARD).split("/")[1]
    lab.wait(lambda: longcord.pi_device(busid), what="the Pi to know the board")
    longcord.cli("mode", busid, "serial", machine=lab.pi)
    yield busid, wait_served(longcord, lab, busid)
    longcord.cli("mode", busid, "default", machine=lab.pi)


def wait_served(longcord, lab, busid):
    def port():
        ports = longcord.pi_device(busid)["serial_ports"]
        return ports and ports[0]["present"] and ports[0]["port"]
    return lab.wait(port, 120, f"{busid} to be served")


def on_node(lab, port, code, timeout=300):
    """Runs a client on the node; returns the JSON it prints last."""
    head = ("import json, os, sys, time\nsys.path.insert(0, '/usr/local/lib/lab')\nimport serial\n"
            "from esptool_like import *\n"
            f"port = open_port({port}, {PI!r}, '', baudrate=115200)\nloader = Loader(port)\n")
    return json.loads(lab.node.python(head + code, timeout=timeout).splitlines()[-1])


@pytest.mark.more
def test_a_board_in_mode_serial_answers_the_node(served, longcord, lab):
    busid, port = served
    assert port >= 4000
    found = on_node(lab, port, "loader.connect()\nprint(json.dumps(loader.read_register(CHIP_MAGIC)))")
    assert found == 0x00F01D83
    assert longcord.pi_device(busid)["serial_ports"][0]["mode"] == "esp"
    lab.pi.run("systemctl restart longcord-pi")
    longcord.wait_linked()
    assert wait_served(longcord, lab, busid) == port
    # The node may come in because it is linked: nothing in pi.yaml and nobody by hand lets it.
    allowed = json.loads(lab.pi.run("longcord serial allow --json"))["allow"]
    assert allowed and {each["by"] for each in allowed} == {"node"}


def test_a_board_that_is_replugged_keeps_its_tcp_session(served, longcord, lab):
    busid, port = served
    results = []
    client = threading.Thread(target=lambda: results.append(on_node(lab, port, """
loader.connect()
first = loader.read_register(CHIP_MAGIC)
open("/run/lab-first", "w").close()
while not os.path.exists("/run/lab-again"):
    time.sleep(0.05)
loader.connect()
print(json.dumps([first, loader.read_register(CHIP_MAGIC)]))
""")))
    lab.node.run("rm -f /run/lab-first /run/lab-again")
    client.start()
    lab.wait(lambda: lab.node.run("test -e /run/lab-first && echo yes", check=False).stdout, 300, "the first answer")
    owner = longcord.pi_device(busid)["serial_ports"][0]["owner"]
    assert owner
    lab.pi.unplug(BOARD)
    lab.pi.plug(BOARD)
    assert wait_served(longcord, lab, busid) == port
    assert longcord.pi_device(busid)["serial_ports"][0]["owner"] == owner
    lab.node.run("touch /run/lab-again")
    client.join(300)
    assert results == [[0x00F01D83, 0x00F01D83]]


@pytest.mark.more
def test_back_to_usbip_the_port_is_closed_and_the_board_exported(served, longcord, lab):
    busid, port = served
    longcord.cli("mode", busid, "usbip", machine=lab.pi)
    lab.wait(lambda: longcord.pi_device(busid)["exported"], 60, "the board to be exported")
    assert longcord.pi_device(busid)["serial_ports"] == []
    assert not lab.pi.run(f"ss -Htln sport = :{port}").strip()
