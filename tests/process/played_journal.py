# SPDX-License-Identifier: MIT
"""journald as a service meets it: its socket below the test's root, and a stderr that systemd says is the journal."""
import os
import socket
import threading


def parse(entry):
    """systemd's JOURNAL_NATIVE_PROTOCOL: NAME=value lines, or NAME, the length in 8 bytes, and the value."""
    fields = {}
    while entry:
        line, entry = entry.split(b"\n", 1)
        if b"=" in line:
            name, value = line.split(b"=", 1)
        else:
            name, size, entry = line, int.from_bytes(entry[:8], "little"), entry[8:]
            value, entry = entry[:size], entry[size + 1:]
        fields[name.decode()] = value.decode()
    return fields


class Journal:
    def __init__(self, machine):
        self.entries = []
        folder = machine.root / "run/systemd/journal"
        folder.mkdir(parents=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "socket"))
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()
        self.environment = {**machine.environment(), **stderr_is(machine.log)}
        machine.environment = lambda: self.environment

    def _read(self):
        while data := self.socket.recv(1 << 20):
            self.entries.append(parse(data))

    def about(self, **fields):
        wanted = {name if name.isupper() and "LONGCORD" in name or name in ("MESSAGE", "PRIORITY") else f"LONGCORD_{name}":
                  value for name, value in fields.items()}
        return [entry for entry in list(self.entries) if all(entry.get(name) == value for name, value in wanted.items())]

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"", self.socket.getsockname())
        self.reading.join()
        self.socket.close()


def stderr_is(log):
    """What systemd sets where a service's stderr is the journal, for one whose stderr is that file."""
    log.touch()
    file = os.stat(log)
    return {"JOURNAL_STREAM": f"{file.st_dev}:{file.st_ino}"}
