"""A serial port of the Pi on an address of the node: what crosses the cable between the two is sealed, by the Pi's
kernel or by longcord-pi itself."""

import contextlib
import json

import pytest
from lab.esp_board import EspBoard
from scenarios.no_frozen_vm import host_yaml
from scenarios.sealed_streams import sealed_by_kernel, wire_tapped, without_tls_module

BOARD = EspBoard()
OFFERED = 4711
OFFER = (f'serial:\n  offers:\n    - {{ pi: workbench, port: 4000, listen: "127.0.0.1:{OFFERED}" }}\n')
# What the loader says of the chip; on a wire in clear it would stand there as it is.
MAGIC = 0x00F01D83

FLASH = f"""
import json, random, sys
sys.path.insert(0, '/usr/local/lib/lab')
from esptool_like import *
image = b"the word that no wire may see " * 1000
with open_port({OFFERED}, '127.0.0.1', '', baudrate=115200) as port:
    loader = Loader(port)
    loader.connect()
    magic = loader.read_register(CHIP_MAGIC)
    loader.change_baud(921600)
    loader.flash(image, 0x10000)
print(json.dumps(magic))
"""


@pytest.mark.parametrize("pi_has", [
    pytest.param(True, id="Pi in the kernel"), pytest.param(False, id="Pi in user space", marks=pytest.mark.more)])
def test_a_board_is_flashed_through_the_node_and_nobody_on_the_cable_sees_the_image(longcord, lab, pi_has):
    with contextlib.ExitStack() as stack:
        if not pi_has:
            stack.enter_context(without_tls_module(lab.pi))
        stack.enter_context(host_yaml(longcord, OFFER))
        busid = lab.pi.plug(BOARD).split("/")[1]
        lab.wait(lambda: longcord.pi_device(busid), what="the Pi to know the board")
        longcord.cli("mode", busid, "serial", machine=lab.pi)
        stack.callback(longcord.cli, "mode", busid, "default", machine=lab.pi)

        def port():
            ports = longcord.pi_device(busid)["serial_ports"]
            return ports and ports[0]["present"] and ports[0]["port"]
        assert lab.wait(port, 120, f"{busid} to be served") == 4000
        with wire_tapped(lab.node):
            assert json.loads(lab.node.python(FLASH, timeout=300).splitlines()[-1]) == MAGIC
        assert BOARD.flash(lab.pi, 0x10000, 30_000) == b"the word that no wire may see " * 1000
        assert lab.node.run("grep -c -a 'no wire may see' /tmp/wire || true").strip() == "0"
        assert int(lab.node.run("stat -c %s /tmp/wire")) > 30_000  # the tap was there
        # While a client is there, its owner has a name, and the Pi's end has the engine that it should.
        lab.node.run(f"systemd-run --quiet --collect --unit=lab-held socat -u TCP:127.0.0.1:{OFFERED} /dev/null")
        stack.callback(lab.node.run, "systemctl stop lab-held 2>/dev/null; true")
        owner = lab.wait(lambda: longcord.pi_device(busid)["serial_ports"][0]["owner"], 30, "an owner")
        assert " for 127.0.0.1:" in owner
        assert sealed_by_kernel(lab.pi) == ("1" if pi_has else "0")
        longcord.wait_linked()
