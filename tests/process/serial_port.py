# SPDX-License-Identifier: MIT
"""`longcord serial serve` on a pseudo terminal, with the test as the device on its other end."""
import os
import pty
import re
import select
import signal
import socket
import subprocess
import termios
import time
import tty
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def binary():
    presets = (REPOSITORY / "build" / preset / "bin" for preset in ("asan", "debug", "release"))
    for folder in [Path(os.environ["LONGCORD_BIN"])] if "LONGCORD_BIN" in os.environ else presets:
        if (folder / "longcord").exists():
            return str(folder / "longcord")
    raise AssertionError("no longcord: build it, or set LONGCORD_BIN to the folder it is in")


NO_QUARANTINE = {"ASAN_OPTIONS": "quarantine_size_mb=1"}  # what has been freed is not memory that a program has


def rss(process):
    """In kilobytes."""
    for line in open(f"/proc/{process.pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1])


def wait(condition, seconds=30):
    end = time.monotonic() + seconds  # only a broken program needs so long
    while not (answer := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return answer


class Board:
    """The device's end of a pseudo terminal, and a link to the other end that can be pulled."""

    def __init__(self, link):
        self.link = Path(link)
        self.master = None
        self.plug()

    def plug(self):
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.link.symlink_to(os.ttyname(slave))
        os.close(slave)
        os.set_blocking(self.master, False)

    def unplug(self):
        self.link.unlink()
        os.close(self.master)
        self.master = None

    def say(self, data):
        while data:
            select.select([], [self.master], [], 30)
            data = data[os.write(self.master, data):]

    def hear(self, size):
        data = b""
        while len(data) < size:
            ready, _, _ = select.select([self.master], [], [], 30)
            assert ready, f"heard only {data[:80]!r} ({len(data)} of {size} bytes)"
            data += os.read(self.master, size - len(data))
        return data

    def heard_nothing(self):
        return not select.select([self.master], [], [], 0.1)[0]

    def settings(self):
        return termios.tcgetattr(self.master)

    def close(self):
        if self.master is not None:
            os.close(self.master)


class Server:
    def __init__(self, folder, *options, device=None, env=None, listen="127.0.0.1:0", within=()):
        """`within`: what runs it, as own_network has it."""
        self.board = None if device else Board(folder / "board")
        self.log = folder / "server.log"
        self.process = subprocess.Popen(
            [*within, binary(), "serial", "serve", str(device or self.board.link), "--listen", listen, *options],
            stdout=subprocess.PIPE, stderr=self.log.open("w"), text=True, env={**os.environ, **(env or {})})
        self.ready = self.process.stdout.readline()
        found = re.findall(r"[^\s\"]+:(\d+)(?=[,;\n\"])", self.ready)
        self.port = int(found[0]) if found else None
        self.observe = int(found[-1]) if "observers" in self.ready else None

    def connect(self, port=None):
        return Client(port or self.port)

    def says(self, text):
        wait(lambda: text in self.log.read_text())

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(30) == 0, self.log.read_text()
        self.process.stdout.close()
        if self.board:
            self.board.close()
        assert "Sanitizer" not in self.log.read_text(), self.log.read_text()


class Client:
    def __init__(self, port=None, connected=None):
        self.socket = connected or socket.create_connection(("127.0.0.1", port), 30)

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            assert more, f"closed after {data[-300:]!r}"
            data += more
        return data

    def rest(self):
        """All until the server closes."""
        data = b""
        while more := self.socket.recv(65536):
            data += more
        return data

    def silent(self):
        return not select.select([self.socket], [], [], 0.1)[0]

    def close(self):
        self.socket.close()
