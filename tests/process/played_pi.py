# SPDX-License-Identifier: MIT
"""A Pi as longcord-host sees it (the far end of longcord-link), and the USB/IP server on it."""
import json
import socket
import struct
import threading
import time

from sealed import PREFACE, PREFACE_SIZE, SealedSocket


def device(busid, devnum=3, **changes):
    """As announced on the link."""
    return {"busid": busid, "controller": "platform-fe9c0000.xhci", "vendor": "1a86",
            "product_id": "55d4", "bcd": "0443", "class": [2, 0, 0],
            "interfaces": [[2, 0, 0], [10, 0, 0]], "configurations": 1, "speed": 2,
            "manufacturer": "", "product": "USB Single Serial", "serial": "A1", "devnum": devnum,
            **changes}


KEYS = {}  # ticket: the keys of its stream; from the link of whichever Pi to its USB/IP server


def expect_stream(message):
    """The usual answer to `open`."""
    KEYS[bytes.fromhex(message["ticket"])] = message["seal"]
    return {"type": "opened", "n": message["n"]}


class PlayedPi:
    """Answers pings, every welcome with `hello` and `devices`, and every `open` with what `opens` makes
    of it (None: nothing), unless it is `silent`."""

    def __init__(self, world, name, devices=(), usbip_port=3240, silent=False, opens=expect_stream,
                 key=""):
        self.name, self.devices, self.silent, self.opens = name, list(devices), silent, opens
        self.hello = {"type": "hello", "version": 1, "software": "test", "usbip_port": usbip_port}
        self.heard, self.ended = [], False
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(world.root / "run/longcord/link.sock"))
        self.say({"pi": name, "address": "127.0.0.1",
                  "started": time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000, "key": key})
        threading.Thread(target=self._listen, daemon=True).start()

    def say(self, message):
        self.send(json.dumps(message).encode() + b"\n")

    def send(self, data):
        self.socket.sendall(data)

    def tell_devices(self):
        self.say({"type": "devices", "devices": self.devices})

    def answers(self, kind):
        return [message for message in list(self.heard) if message["type"] == kind]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the service did it before
        self.socket.close()

    def _listen(self):
        try:
            for line in self.socket.makefile("rb"):
                message = json.loads(line)
                if message["type"] == "ping" and not self.silent:
                    self.say({"type": "pong", "n": message["n"]})
                else:
                    self.heard.append(message)
                if message["type"] == "open" and not self.silent:
                    answer = self.opens(message)
                    if answer:
                        self.say(answer)
                if message["type"] == "welcome" and not self.silent:
                    self.say(self.hello)
                    self.tell_devices()
        except (OSError, ValueError):
            pass
        self.ended = True


def import_reply(busid, devnum=3, version=0x0111, code=3, status=0, product=0x55d4, speed=2):
    """OP_REP_IMPORT with the board of device()."""
    busnum = int(busid.split("-")[0]) if busid[0].isdigit() else 1
    header = struct.pack(">HHI", version, code, status)
    return header + struct.pack(">256s32sIIIHHHBBBBBB", b"/sys/devices/x", busid.encode(), busnum,
                                devnum, speed, 0x1a86, product, 0x0443, 2, 0, 0, 1, 1, 2)


class UsbipServer:
    """Serves whoever shows a ticket of KEYS, once, and plain clients where `plain`.
    `closes`: after a list, as usbipd does and Renode does not. `answers`: busid -> bytes, or None to say nothing. `stays`: busids whose connection stays open
    after the answer. `takes`: busid -> seconds until the answer. `refuses`: busid -> the answer instead of the one that
    is listed. `asked`: the busids, in order."""

    def __init__(self, answers=None, stays=(), plain=False):
        self.answers, self.stays, self.plain = answers or {}, set(stays), plain
        self.asked, self.streams, self.in_use, self.closes = [], [], set(), True
        self.takes, self.refuses = {}, {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def serve(self, busid, **changes):
        self.answers[busid] = import_reply(busid, **changes)
        self.stays.add(busid)

    def _accept(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(stream,), daemon=True).start()

    def _answer(self, stream):
        if not self.plain:
            preface = stream.recv(PREFACE_SIZE, socket.MSG_WAITALL)
            keys = KEYS.pop(preface[len(PREFACE):], None)
            if preface[:len(PREFACE)] != PREFACE or keys is None:
                return stream.close()
            stream = SealedSocket(stream, keys)
        request = stream.recv(8, socket.MSG_WAITALL)
        if request[2:4] == b"\x80\x03":
            request += stream.recv(32, socket.MSG_WAITALL)
        if request[:4] == b"\x01\x11\x80\x05":
            return self._list(stream)
        if request[:4] != b"\x01\x11\x80\x03":
            return stream.close()
        busid = request[8:].rstrip(b"\0").decode()
        self.asked.append(busid)
        answer = self.refuses.get(busid, self.answers.get(busid, import_reply(busid, status=4)[:8]))
        time.sleep(self.takes.get(busid, 0))
        if answer is not None:
            stream.sendall(answer)
        if answer is None or busid in self.stays:
            self.streams.append(stream)
        else:
            stream.close()

    def _list(self, stream):
        """OP_REP_DEVLIST with what is served; like usbipd without what is in use."""
        self.asked.append("list")
        free = [answer for busid, answer in self.answers.items() if busid not in self.in_use]
        listed = b"".join(answer[8:319] + b"\2" + bytes([2, 0, 0, 0, 10, 0, 0, 0]) for answer in free)
        stream.sendall(struct.pack(">HHII", 0x0111, 5, 0, len(free)) + listed)
        if self.closes:
            stream.close()

    def close(self):
        """Once or again."""
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for stream in self.streams:
            stream.close()
