# SPDX-License-Identifier: MIT
"""`longcord serial serve` with an ESP board behind it, flashed as people flash theirs; and with whole
programs in between: Debian's ser2net as a client, socat as a VM's tty. The board is tests/serial's
stand-in: it follows DTR and RTS, and takes nothing that does not come at its own rate."""
import json
import os
import pty
import random
import re
import select
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
import serial
from serial_port import REPOSITORY, Server, wait

sys.path.insert(0, str(REPOSITORY / "tests" / "serial"))
from esp_chip import BOOT_RATE, MAGIC, ChipOnPty  # noqa: E402
from esptool_like import BLOCK, CHIP_MAGIC, Loader, hard_reset, open_port  # noqa: E402
from servers import LISTEN, free_port, tcp_states  # noqa: E402
from tools import both_on, compiled, line_changes  # noqa: E402

# All byte values, SLIP's and telnet's own among them, and long runs of 0xff as firmware has them.
IMAGE = random.Random(1).randbytes(60 * BLOCK) + b"\xff" * 3 * BLOCK + b"\xc0\xdb\xff\xfd\x2c" * 200
OFFSET = 0x10000
FLASH_RATE = 921600


class Bench:
    """A server in mode esp, the chip behind it, and what its lines did."""

    def __init__(self, folder, *options):
        self.lines = folder / "lines"
        self.server = Server(folder, "--mode", "esp", *options, env={
            "LD_PRELOAD": str(compiled("modem_lines.c")), "MODEM_LINES": str(self.lines),
            "ASAN_OPTIONS": "verify_asan_link_order=0"})

    def changes(self):
        return line_changes(self.lines)

    def play(self):
        return ChipOnPty(self.server.board.master, self.changes)

    def open(self, query=""):
        return open_port(self.server.port, options=query, baudrate=BOOT_RATE)


@pytest.fixture
def bench(tmp_path):
    world = Bench(tmp_path)
    yield world
    world.server.close()


def flash(port, image=IMAGE, done=lambda block: None):
    loader = Loader(port)
    loader.connect()
    assert loader.read_register(CHIP_MAGIC) == MAGIC
    loader.change_baud(FLASH_RATE)
    loader.flash(image, OFFSET, done)
    return loader


def assert_flashed(chip, image=IMAGE):
    assert bytes(chip.flash[OFFSET:OFFSET + len(image)]) == image
    assert chip.complaints == []


@pytest.mark.parametrize("query", ["", "?ign_set_control"])
def test_a_board_is_flashed_at_921600_byte_for_byte_and_started(bench, query):
    with bench.play() as chip, bench.open(query) as port:
        assert chip.resets == []  # by the connect alone
        flash(port)
        assert_flashed(chip)
        assert chip.resets == ["loader"]  # at the first try
        assert chip.noise == 0
        port.baudrate = BOOT_RATE
        hard_reset(port)
        wait(lambda: chip.resets == ["loader", "app"])
        assert b"SPI_FAST_FLASH_BOOT" in port.read_until(b"\r\n")
    # Then both lines are moved together, and each step stands as long as a chip needs it.
    assert both_on(bench.changes()[1:]) < 0.001
    (reset, *_), (boot, *_), (end, *_) = next(
        moves for moves in zip(bench.changes(), bench.changes()[1:], bench.changes()[2:])
        if [move[1:] for move in moves] == [(False, True), (True, False), (False, False)])
    assert boot - reset >= 0.1
    assert end - boot >= 0.05


def test_what_comes_at_another_rate_than_the_chips_is_noise(bench):
    """The stand-in would notice a server that forgets the rate."""
    with bench.play() as chip, bench.open() as port:
        loader = Loader(port)
        loader.connect()
        port.baudrate = 230400
        assert loader.command(0x0A, b"\0\0\0\0", wait=0.3) is None
        assert chip.noise > 0


def test_a_client_killed_mid_flash_leaves_a_board_that_can_be_flashed_again(bench, tmp_path):
    program = tmp_path / "flasher.py"
    program.write_text(
        f"import sys\nsys.path[:0] = {sys.path!r}\nfrom test_serial_peers import *\n"
        f"with open_port({bench.server.port}, baudrate=BOOT_RATE) as port:\n"
        "    flash(port, IMAGE * 12)\n")
    with bench.play() as chip:
        killed = subprocess.Popen([sys.executable, "-B", str(program)])
        wait(lambda: chip.blocks > 10)
        killed.kill()
        killed.wait()
        bench.server.says("has left the port")
        wait(lambda: bench.changes()[-1][1:] == (False, False))
        with bench.open() as port:
            flash(port)
            assert_flashed(chip)


def test_twenty_who_knock_do_not_disturb_a_flash(bench):
    refused = []

    def knock():
        client = bench.server.connect()
        refused.append(client.rest())
        client.close()

    with bench.play() as chip, bench.open() as port:
        knocking = [threading.Thread(target=knock) for _ in range(20)]
        flash(port, done=lambda block: knocking[block].start() if block < len(knocking) else None)
        for thread in knocking:
            thread.join(30)
        assert_flashed(chip)
    assert len(refused) == 20
    assert all(b"held by 127.0.0.1:" in text for text in refused)


def test_a_board_yanked_mid_flash_is_flashed_again_by_the_same_client(bench):
    with bench.open() as port:
        with bench.play() as chip:
            loader = Loader(port)
            loader.connect()
            loader.change_baud(FLASH_RATE)
            for block in range(10):
                port.write(b"\xc0" + bytes(BLOCK))  # it never comes to an end
            wait(lambda: chip.packets)
        bench.server.board.unplug()
        bench.server.says("kept for now")
        port.write(b"lost" * 1000)
        bench.server.board.plug()
        bench.server.says("is there")
        with bench.play() as chip:
            port.baudrate = BOOT_RATE
            flash(port)
            assert_flashed(chip)


# --- programs in between ----------------------------------------------------------------------------


@contextmanager
def running(*command):
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def test_ser2net_as_a_client_passes_data_and_rate_on(bench, tmp_path):
    """Clients of a ser2net of their own, whose device is our port."""
    own = free_port()
    config = tmp_path / "ser2net.yaml"
    config.write_text(f"%YAML 1.1\n---\nconnection: &remote\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{own}\n"
                      f"  connector: telnet(rfc2217),tcp,127.0.0.1,{bench.server.port}\n"
                      "  options:\n    chardelay: false\n")
    with running("/usr/sbin/ser2net", "-n", "-u", "-c", str(config)):
        wait(lambda: LISTEN in tcp_states(own))
        with bench.play() as chip, open_port(own, baudrate=BOOT_RATE) as port:
            flash(port)
            assert_flashed(chip)
            assert chip.noise == 0


def test_gensiot_as_a_client(bench):
    every = bytes(range(256)) * 4
    with subprocess.Popen(["gensiot", "-i", "stdio(self)", f"telnet(rfc2217),tcp,127.0.0.1,{bench.server.port}"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        client.stdin.write(every.replace(b"\x1c", b""))  # its own escape
        client.stdin.flush()
        assert bench.server.board.hear(1020) == every.replace(b"\x1c", b"")
        bench.server.board.say(every)
        assert client.stdout.read(len(every)) == every
        client.kill()


def test_socat_makes_a_tty_that_a_vms_programs_can_use(bench, tmp_path):
    """Data alone: such a tty has no lines, so the board is put into its loader by hand."""
    link = tmp_path / "ttyBoard"
    with running("socat", f"PTY,link={link},raw,echo=0", f"TCP:127.0.0.1:{bench.server.port}"):
        wait(link.exists)
        with bench.play() as chip, serial.Serial(str(link), timeout=3) as port:
            chip.start("loader")
            Loader(port).connect(reset=lambda port: None)
            Loader(port).flash(IMAGE, OFFSET)
            assert_flashed(chip)


# --- docs/serial.md, as a user types it -------------------------------------------------------------

DOCS = (REPOSITORY / "docs/serial.md").read_text()
URLS = sorted(set(re.findall(r"rfc2217://pi:4000[^' \n]*", DOCS)))


def documented(beginning):
    """The one line of the page that begins so."""
    (line,) = [line.strip() for line in DOCS.splitlines() if line.startswith("    " + beginning)]
    return line


def test_the_page_has_a_url_for_those_who_wait_for_answers_and_one_for_those_who_do_not():
    assert URLS == ["rfc2217://pi:4000", "rfc2217://pi:4000?ign_set_control"]
    for tool in ("upload_port  = ", "monitor_port = ", "idf.py -p '", "esptool.py --port '"):
        assert any(url in documented(tool) for url in URLS)


@pytest.mark.parametrize("url", URLS)
def test_each_url_of_the_page_opens_and_flashes_a_board(bench, url):
    url = url.replace("pi:4000", f"127.0.0.1:{bench.server.port}")
    with bench.play() as chip, serial.serial_for_url(url, BOOT_RATE, timeout=3) as port:
        flash(port)
        assert_flashed(chip)


@contextmanager
def in_a_terminal(command):
    """The far end of the terminal that the command runs in."""
    master, slave = pty.openpty()
    process = subprocess.Popen(command, shell=True, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    try:
        yield master
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
        os.close(master)


def shown(master, text):
    """Reads what the terminal shows until `text` is in it."""
    seen = b""
    while text not in seen:
        assert select.select([master], [], [], 30)[0], seen
        seen += os.read(master, 4096)


def test_the_pages_miniterm_is_a_terminal(bench):
    command = documented("python3 -m serial.tools.miniterm").replace("pi:4000", f"127.0.0.1:{bench.server.port}")
    with in_a_terminal(command.replace("python3", sys.executable, 1)) as terminal:
        shown(terminal, b"Miniterm on")
        os.write(terminal, b"help")
        assert bench.server.board.hear(4) == b"help"
        bench.server.board.say(b"there is none\r\n")
        shown(terminal, b"there is none")


def test_the_pages_socat_gives_a_tty_of_all_byte_values(bench, tmp_path):
    every = bytes(range(256))
    command = documented("socat PTY,").replace("pi:4000", f"127.0.0.1:{bench.server.port}")
    with in_a_terminal("exec " + command.replace("$HOME", str(tmp_path))):
        wait((tmp_path / "ttyBoard").exists)
        with serial.Serial(str(tmp_path / "ttyBoard"), timeout=30) as port:
            port.write(every)
            assert bench.server.board.hear(256) == every
            bench.server.board.say(every)
            assert port.read(256) == every


def test_the_pages_socat_is_a_terminal(bench):
    assert "`socat -,rawer TCP:pi:4000`" in DOCS
    with in_a_terminal(f"exec socat -,rawer TCP:127.0.0.1:{bench.server.port}") as terminal:
        bench.server.says("has the port")
        os.write(terminal, b"help")
        assert bench.server.board.hear(4) == b"help"
        bench.server.board.say(b"there is none")
        shown(terminal, b"there is none")


# --- volume -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("telnet", [[], ["--telnet"]], ids=["raw", "rfc2217"])
def test_both_ways_at_once_nothing_is_lost(bench, telnet):
    """100 MB each way, of all byte values."""
    os.set_blocking(bench.server.board.master, True)
    command = [str(compiled("load.cpp")), "both", "--port", str(bench.server.port), "--size", "100000000",
               "--master", str(bench.server.board.master), *telnet]
    done = subprocess.run(command, pass_fds=[bench.server.board.master], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["bytes"] == 100_000_000
