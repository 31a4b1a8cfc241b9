# SPDX-License-Identifier: MIT
"""A control socket that answers what a test tells it to, and remembers what it was asked."""
import json
import os
import socket
import threading


class FakeService:
    """`replies`: verb -> result, or {"error": {...}}. `raw`: bytes for every answer instead.
    `stream`: lines (objects) sent after the reply to `subscribe`; then the connection stays open
    until close() unless `hang_up`."""

    def __init__(self, path, replies, stream=(), hang_up=False, raw=None):
        self.replies, self.stream, self.hang_up, self.raw = replies, stream, hang_up, raw
        self.requests = []
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.clients = []
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.clients.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        lines = client.makefile("rb")
        for line in lines:
            request = json.loads(line)
            self.requests.append(request)
            if self.raw is not None:
                client.sendall(self.raw)
                client.shutdown(socket.SHUT_RDWR)
                return
            verb = "events" if request["verb"] == "subscribe" else request["verb"]
            reply = self.replies.get(verb, {"error": {"kind": "invalid", "message": "no such verb"}})
            if isinstance(reply, dict) and "error" in reply:
                self._say(client, {"ok": False, **reply})
                continue
            self._say(client, {"ok": True, "result": reply})
            if request["verb"] == "subscribe":
                for message in self.stream:
                    self._say(client, message)
                if self.hang_up:
                    client.shutdown(socket.SHUT_RDWR)
                    return

    @staticmethod
    def _say(client, message):
        client.sendall(json.dumps(message).encode() + b"\n")

    def die(self):
        """As a killed service: nobody listens, and the socket's file stays."""
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which would keep it listening
        self.accepting.join()
        self.listener.close()

    def close(self):
        if self.listener.fileno() >= 0:
            self.die()
        for client in self.clients:
            client.close()
        if os.path.exists(self.path):
            os.unlink(self.path)
