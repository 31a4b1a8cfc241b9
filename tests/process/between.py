# SPDX-License-Identifier: MIT
"""Somebody on the network between a node and the port that it dials: carries all, hears all, and can meddle."""
import socket
import threading


class Between:
    """`meddle` changes what the node gets; `seen` is what came by, both ways."""

    def __init__(self, port, meddle=bytes):
        self.target, self.meddle, self.seen = port, meddle, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            for source, target, change in ((near, far, bytes), (far, near, self.meddle)):
                threading.Thread(target=self._carry, args=(source, target, change), daemon=True).start()

    def _carry(self, source, target, change):
        try:
            while data := source.recv(65536):
                self.seen += data
                target.sendall(change(data))
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
