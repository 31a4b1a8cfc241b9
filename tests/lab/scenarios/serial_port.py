"""Serial adapters on the Pi as RFC 2217 ports, and the node as their user, with Debian's python3-serial."""

import json
import random
import socket
import threading
from pathlib import Path

import pytest
from lab.esp_board import EspBoard

PI, PORT = "10.77.0.2", 4000
FTDI = "0403:6001"
OFFSET = 0x10000
IMAGE = random.Random(7).randbytes(30 * 1024) + b"\xff" * 1024 + b"\xc0\xdb\xff\xfd\x2c" * 200
# Of Debian's package, on this machine: what is no code is left out of the lab's images.
PYSERIALS_SERVER = Path("/usr/share/doc/python3-serial/examples/rfc2217_server.py")
BOARD = EspBoard()


@pytest.fixture
def pi(longcord, lab):
    """Keeps these adapters to itself."""
    before = lab.pi.read("/etc/longcord/pi.yaml")
    never = f"export: {{ never: {{ ids: ['{FTDI}', '{BOARD.ids}'] }} }}\n"
    configure(lab.pi, before + never)
    yield lab.pi
    lab.pi.run("systemctl stop 'lab-serial*' 2>/dev/null; true")
    configure(lab.pi, before)


def configure(pi, text):
    pi.put(text, "/etc/longcord/pi.yaml")
    pi.run("systemctl reload longcord-pi")


def serve(lab, device, *options, port=PORT):
    lab.wait(lambda: lab.pi.run(f"test -e {device} && echo there", check=False).stdout, what=f"{device} on the Pi")
    start(lab, f"longcord serial serve {device} --listen {PI}:{port} {' '.join(options)}", port)


def start(lab, command, port):
    lab.pi.run(f"systemd-run --quiet --collect --unit=lab-serial-{port} {command}")
    lab.wait(lambda: lab.pi.run(f"ss -Htln sport = :{port}").strip(), what=f"{command} to listen")


def on_node(lab, code, timeout=300):
    """Runs a client on the node, with the helpers of tests/serial at hand; returns the JSON it prints last."""
    head = ("import json, os, random, sys, time\nsys.path.insert(0, '/usr/local/lib/lab')\nimport serial\n"
            "from esptool_like import *\n"
            f"def board(port={PORT}, query=''): return open_port(port, {PI!r}, query, baudrate=115200)\n")
    return json.loads(lab.node.python(head + code, timeout=timeout).splitlines()[-1])


FLASH = f"""
image = random.Random(7).randbytes(30 * 1024) + b"\\xff" * 1024 + b"\\xc0\\xdb\\xff\\xfd\\x2c" * 200
def flash(port):
    loader = Loader(port)
    loader.connect()
    assert loader.read_register(CHIP_MAGIC) == 0x00F01D83
    loader.change_baud(921600)
    loader.flash(image, {OFFSET})
"""


def reset_seen(lab, before, timeout=60):
    """The changes of the lines since, once a reset into the loader and its end have been seen."""
    def over():
        moves = BOARD.lines(lab.pi)[before:]
        states = [move[1:] for move in moves]
        return moves if (True, False) in states and states[-1] == (False, False) else None
    return lab.wait(over, timeout, "the lines of a reset")


def both_on(moves):
    """Seconds; see tests/serial/tools.py."""
    return sum(later[0] - one[0] for one, later in zip(moves, moves[1:]) if one[1] and one[2])


def test_a_board_behind_a_real_driver_is_flashed_over_the_network(pi, lab):
    pi.plug(BOARD)
    serve(lab, BOARD.device)  # mode auto: a CP2102 is a bridge
    assert on_node(lab, "with board() as port: print(json.dumps(port.cts))") is True
    assert BOARD.state(pi)["resets"] == []  # by coming and going
    assert on_node(lab, FLASH + "with board() as port: flash(port)\nprint('true')")
    state = BOARD.wait_state(pi, mode="loader")
    assert state["resets"] == ["loader"]
    assert state["noise"] == 0 and state["complaints"] == []
    assert BOARD.flash(pi, OFFSET, len(IMAGE)) == IMAGE
    assert on_node(lab, "with board() as port:\n    hard_reset(port)\n    print(json.dumps(port.read(8).decode()))")
    BOARD.wait_state(pi, resets=["loader", "app"])


@pytest.mark.more
def test_a_reset_pulls_both_lines_together_never_as_long_as_pyserials_server_does(pi, lab):
    pi.plug(BOARD)
    serve(lab, BOARD.device)
    gaps = {}
    pi.put(PYSERIALS_SERVER, "/run/rfc2217_server.py")
    for name, port in (("longcord", PORT), ("pyserial", PORT + 1)):
        if name == "pyserial":
            pi.run(f"systemctl stop lab-serial-{PORT}")
            start(lab, f"python3 /run/rfc2217_server.py -p {port} {BOARD.device}", port)
        # What follows is a reset, not the client's opening of the port.
        on_node(lab, f"with board({port}) as port:\n    time.sleep(0.5)\n    print('true')")
        before = len(BOARD.lines(pi))
        on_node(lab, f"with board({port}) as port:\n    classic_reset(port)\n    time.sleep(0.5)\n    print('true')")
        gaps[name] = both_on(reset_seen(lab, before))
    assert gaps["longcord"] < 0.001 < gaps["pyserial"], gaps


@pytest.mark.more
def test_a_board_that_is_replugged_keeps_its_client_and_its_rate(pi, lab):
    pi.plug(BOARD)
    serve(lab, BOARD.device, "--hold", "120")
    results = []
    client = threading.Thread(target=lambda: results.append(on_node(lab, FLASH + """
with board() as port:
    flash(port)
    open("/run/lab-flashed", "w").close()
    while not os.path.exists("/run/lab-again"):
        time.sleep(0.05)
    port.baudrate = 115200
    flash(port)
    print("true")
""")))
    lab.node.run("rm -f /run/lab-flashed /run/lab-again")
    client.start()
    lab.wait(lambda: lab.node.run("test -e /run/lab-flashed && echo yes", check=False).stdout, 300, "the first flash")
    pi.unplug(BOARD)
    journal = f"lab-serial-{PORT}"
    lab.wait(lambda: "kept for now" in pi.journal("-u", journal), what="the server to miss the board")
    pi.plug(BOARD)
    lab.wait(lambda: "is there" in pi.journal("-u", journal), what="the server to find the board")
    BOARD.wait_state(pi, rate=921600)  # nobody but the server has set it again
    lab.node.run("touch /run/lab-again")
    client.join(300)
    assert results == [True]
    assert BOARD.flash(pi, OFFSET, len(IMAGE)) == IMAGE


@pytest.mark.more
def test_an_ftdi_adapter_carries_every_byte_value_both_ways(pi, lab):
    pi.plug_local("adapter", "usb-serial", port="2")
    device = lab.wait(lambda: pi.run("ls /dev/ttyUSB* 2>/dev/null; true").strip(), what="the adapter's tty")
    serve(lab, device)
    data = random.Random(3).randbytes(20_000) + bytes(range(256))
    far_end = socket.socket(socket.AF_UNIX)
    far_end.connect(str(pi.folder / "adapter.tty"))
    far_end.settimeout(120)

    def echo():
        left = len(data)
        while left:
            came = far_end.recv(4096)
            far_end.sendall(came)
            left -= len(came)

    echoing = threading.Thread(target=echo)
    echoing.start()
    back = on_node(lab, f"""
data = random.Random(3).randbytes(20_000) + bytes(range(256))
with serial.serial_for_url("rfc2217://{PI}:{PORT}", baudrate=921600, timeout=60) as port:
    came = b""
    for at in range(0, len(data), 2000):
        port.write(data[at:at + 2000])
        came += port.read(len(data[at:at + 2000]))
print(json.dumps([came == data, port.baudrate]))
""")
    echoing.join(10)
    far_end.close()
    assert back == [True, 921600]
