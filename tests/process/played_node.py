# SPDX-License-Identifier: MIT
"""A node as longcord-pi sees it: Debian's sshd, and behind the forced command of the Pi's key a test that speaks for
the service. It knows the keys of its streams, and makes them as docs/protocol.md has them."""
import itertools
import json
import os
import secrets
import socket
import struct
import threading

from host_world import wait
from idle import add_bound_boards
from pairing_world import Node, Pi, free_port
from sealed import PREFACE, Direction

ON_THE_LINE = """#!/bin/sh
exec socat STDIO UNIX-CONNECT:{socket}
"""


def fresh_secret():
    """`ticket` and `seal` of an open."""
    direction = {side: {"key": secrets.token_hex(32), "iv": secrets.token_hex(12)} for side in ("from_node", "from_pi")}
    return {"ticket": secrets.token_hex(32), "seal": direction}


class PlayedNode(Node):
    """A real node until a Pi is paired; then the test takes its service's place."""

    def take_over(self):
        self.stop_sshd()
        self.stop()
        path = self.root / "played.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        os.chmod(path, 0o666)  # for the user longcord
        self.listener.listen()
        (self.root / "namespace/libexec/longcord/longcord-link").write_text(ON_THE_LINE.format(socket=path))
        self.start_sshd()
        self.line, _ = self.listener.accept()
        self.heard, self.numbers = [], itertools.count(1)
        threading.Thread(target=self._listen, daemon=True).start()
        self.say({"type": "welcome", "version": 1, "node": self.name, "software": "test", "pi": "workbench",
                  "nodes": []})
        wait(lambda: self.answers("devices"), lambda: self.heard)

    def say(self, message):
        self.line.sendall(json.dumps(message).encode() + b"\n")

    def answers(self, kind):
        return [message for message in list(self.heard) if message["type"] == kind]

    def answer_to(self, n):
        return wait(lambda: [message for message in list(self.heard) if message.get("n") == n], lambda: self.heard)[0]

    def open(self, busid, secret):
        """The Pi's answer."""
        n = next(self.numbers)
        self.say({"type": "open", "n": n, "busid": busid, "vmid": 100, **secret})
        return self.answer_to(n)

    def wait_read(self):
        """Until the Pi has read all that was said."""
        n = next(self.numbers)
        self.say({"type": "ping", "n": n})
        self.answer_to(n)

    def _listen(self):
        try:
            for line in self.line.makefile("rb"):
                self.heard.append(json.loads(line))
        except OSError:
            pass

    def close(self):
        if hasattr(self, "line"):
            self.line.close()
            self.listener.close()
        super().close()


class NodesEnd:
    """The node's end of a sealed stream, up to what the kernels say to each other."""

    def __init__(self, port, secret):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.sendall(PREFACE + bytes.fromhex(secret["ticket"]))
        self.sends, self.receives = Direction(secret["seal"]["from_node"]), Direction(secret["seal"]["from_pi"])

    def send(self, content):
        self.socket.sendall(self.sends.seal(content))

    def receive(self, size):
        content = b""
        while len(content) < size:
            header = self.socket.recv(5, socket.MSG_WAITALL)
            if len(header) < 5:
                break
            body = self.socket.recv(struct.unpack(">H", header[3:])[0], socket.MSG_WAITALL)
            content += self.receives.open(header, body)
        return content

    def import_reply(self, busid):
        self.send(struct.pack(">HHI32s", 0x0111, 0x8003, 0, busid.encode()))
        return self.receive(320)

    def was_hung_up_on(self):
        """Nothing more comes. A reset says so too: what we sent was not read to its end."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()


def exporting_to_a_played_node(machines, settings=""):
    """A Pi with two exported boards, 1-1 and 1-2, linked with a node that the test plays."""
    node, pi = PlayedNode(), Pi()
    machines += [node, pi]
    node.up()
    pi.port = free_port()
    (pi.root / "etc/longcord/pi.yaml").write_text(f"usbip_port: {pi.port}\n{settings}")
    add_bound_boards(pi.root / "sys", 2)
    pi.serve()
    pi.join(node.pair("workbench"))
    node.take_over()
    wait(lambda: pi.links()["pve1"]["linked"], pi.text)
    return node, pi


def stream_of(pi, place):
    return {device["place"]: device for device in pi.ask("devices")["devices"]}[place]["stream"]
