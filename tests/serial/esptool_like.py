# SPDX-License-Identifier: MIT
"""A client that goes about a board as esptool does over a network: Debian's python3-serial, and DTR
and RTS moved one at a time. RTS on pulls the chip's reset, DTR on its boot pin, through two
transistors; with both on, neither is pulled."""
import struct
import time

import serial


def open_port(port, host="127.0.0.1", options="", **settings):
    """Both lines off before it opens, as esptool's users are told to have them."""
    client = serial.serial_for_url(f"rfc2217://{host}:{port}{options}", do_not_open=True, timeout=3, **settings)
    client.dtr = False
    client.rts = False
    client.open()
    return client


def set_rts(client, on):
    """esptool sends DTR once more after each RTS: a Windows driver wants that."""
    client.rts = on
    client.dtr = client.dtr


def classic_reset(client, delay=0.05):
    """Into the loader: the boot pin must be down while the reset ends."""
    client.dtr = False
    set_rts(client, True)
    time.sleep(0.1)
    client.dtr = True
    set_rts(client, False)
    time.sleep(delay)
    client.dtr = False


def hard_reset(client):
    set_rts(client, True)
    time.sleep(0.1)
    set_rts(client, False)


SYNC, READ_REG, CHANGE_BAUD, FLASH_BEGIN, FLASH_DATA, FLASH_END = 0x08, 0x0A, 0x0F, 0x02, 0x03, 0x04
CHECKSUM_SEED = 0xEF
BLOCK = 0x400
CHIP_MAGIC = 0x40001000  # the register that tells chips apart


def slip(packet):
    return b"\xc0" + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def checksum(data):
    value = CHECKSUM_SEED
    for byte in data:
        value ^= byte
    return value


class Packets:
    """SLIP packets out of a stream; what stands between them is kept as text."""

    def __init__(self):
        self.text = b""
        self._packet = None
        self._escaped = False

    def feed(self, data):
        found = []
        for byte in data:
            if byte == 0xC0:
                if self._packet:
                    found.append(bytes(self._packet))
                    self._packet = None
                else:
                    self._packet = bytearray()
            elif self._packet is None:
                self.text += bytes([byte])
            elif self._escaped:
                self._packet.append({0xDC: 0xC0, 0xDD: 0xDB}[byte])
                self._escaped = False
            elif byte == 0xDB:
                self._escaped = True
            else:
                self._packet.append(byte)
        return found


class Loader:
    """Speaks with an ESP chip's ROM loader through a port that is open."""

    def __init__(self, port):
        self.port = port
        self.packets = Packets()
        self._answers = []

    def connect(self, reset=classic_reset, tries=7):
        for _ in range(tries):
            reset(self.port)
            for _ in range(5):
                answer = self.command(SYNC, b"\x07\x07\x12\x20" + 32 * b"\x55", wait=0.3)
                if answer is None:
                    continue
                while self.answer(SYNC, 0.3) is not None:  # a chip answers eight times
                    pass
                return
        raise AssertionError(f"the chip does not answer; it said {self.packets.text!r}")

    def command(self, code, data=b"", check=0, wait=5):
        self.port.write(slip(struct.pack("<BBHI", 0, code, len(data), check) + data))
        return self.answer(code, wait)

    def answer(self, code, wait):
        """(value, data), or None where the chip says nothing."""
        end = time.monotonic() + wait
        while time.monotonic() < end:
            while self._answers:
                packet = self._answers.pop(0)
                direction, answered, size, value = struct.unpack("<BBHI", packet[:8])
                if direction == 1 and answered == code:
                    assert len(packet) == 8 + size, packet
                    assert packet[-4] == 0, f"the chip refuses {code:#x}: {packet!r}"
                    return value, packet[8:-4]
            waiting = self.port.in_waiting
            if waiting:
                self._answers += self.packets.feed(self.port.read(waiting))
            else:
                time.sleep(0.001)
        return None

    def sure(self, code, data, check=0):
        answer = self.command(code, data, check)
        assert answer is not None, f"no answer to {code:#x}"
        return answer[0]

    def read_register(self, address):
        return self.sure(READ_REG, struct.pack("<I", address))

    def change_baud(self, rate):
        self.sure(CHANGE_BAUD, struct.pack("<II", rate, 0))
        self.port.baudrate = rate
        time.sleep(0.05)  # what came in between is garbage

    def flash(self, image, offset=0x10000, done=lambda block: None):
        blocks = [image[at:at + BLOCK].ljust(BLOCK, b"\xff") for at in range(0, len(image), BLOCK)]
        self.sure(FLASH_BEGIN, struct.pack("<IIII", len(image), len(blocks), BLOCK, offset))
        for number, block in enumerate(blocks):
            self.sure(FLASH_DATA, struct.pack("<IIII", BLOCK, number, 0, 0) + block, checksum(block))
            done(number)
        self.sure(FLASH_END, struct.pack("<I", 1))
