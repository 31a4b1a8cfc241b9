# SPDX-License-Identifier: MIT
"""The Pi's end of a sealed stream, made of pyca/cryptography only: TLS 1.3 records of application data
with ChaCha20-Poly1305, as docs/protocol.md has them."""
import socket
import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

PREFACE = b"LCRD" + struct.pack(">I", 1)
PREFACE_SIZE = len(PREFACE) + 32


class Direction:
    def __init__(self, seal):
        self.cipher = ChaCha20Poly1305(bytes.fromhex(seal["key"]))
        self.iv, self.number = bytes.fromhex(seal["iv"]), 0

    def _nonce(self):
        number, self.number = self.number.to_bytes(12, "big"), self.number + 1
        return bytes(a ^ b for a, b in zip(self.iv, number))

    def seal(self, content):
        header = b"\x17\x03\x03" + struct.pack(">H", len(content) + 1 + 16)
        return header + self.cipher.encrypt(self._nonce(), content + b"\x17", header)

    def open(self, header, body):
        content = self.cipher.decrypt(self._nonce(), body, header).rstrip(b"\0")
        assert content[-1:] == b"\x17", "no application data"
        return content[:-1]


class SealedSocket:
    """`keys`: `seal` of an open. Looks like a socket as far as these tests need one."""

    def __init__(self, stream, keys):
        self.stream = stream
        self.sends, self.receives = Direction(keys["from_pi"]), Direction(keys["from_node"])
        self.content = b""

    def recv(self, size, flags=0):
        while len(self.content) < (size if flags & socket.MSG_WAITALL else 1):
            header = self.stream.recv(5, socket.MSG_WAITALL)
            if len(header) < 5:
                break
            body = self.stream.recv(struct.unpack(">H", header[3:])[0], socket.MSG_WAITALL)
            self.content += self.receives.open(header, body)
        taken, self.content = self.content[:size], self.content[size:]
        return taken

    def sendall(self, data):
        if data:
            self.stream.sendall(self.sends.seal(data))

    def close(self):
        self.stream.close()
