# SPDX-License-Identifier: MIT
"""A stand-in for an ESP32 behind a USB bridge: it follows DTR and RTS as the two transistors of such
a board make of them, and in its loader speaks as the ROM does. What comes at another rate than the
chip's is noise to it."""
import fcntl
import os
import select
import struct
import threading
import time

from esptool_like import (BLOCK, CHANGE_BAUD, CHIP_MAGIC, FLASH_BEGIN, FLASH_DATA, FLASH_END, READ_REG, SYNC, Packets,
                          checksum, slip)

MAGIC = 0x00F01D83  # of the ESP32
BOOT_RATE = 115200
# EN's capacitor: the chip leaves its reset a little after the line, and looks at its boot pin then.
EN_DELAY = 0.001


class Chip:
    def __init__(self, send):
        self.send = send
        self.flash = bytearray(b"\xff" * (1 << 20))
        self.resets = []      # "app" or "loader", one each
        self.noise = 0        # bytes that came at a wrong rate
        self.complaints = []
        self.blocks = 0
        self._in_reset = False
        self.start("app", said=False)

    # --- the board ---

    def replay(self, changes):
        """What [(seconds, dtr, rts)] did: RTS alone holds the chip in reset, and DTR alone pulls the
        boot pin, which counts EN_DELAY after the end of the reset."""
        for index, (when, dtr, rts) in enumerate(changes):
            in_reset = rts and not dtr
            if self._in_reset and not in_reset:
                then = [change for change in changes[index:] if change[0] <= when + EN_DELAY][-1]
                self.start("loader" if then[1] and not then[2] else "app")
            self._in_reset = in_reset

    def start(self, what, said=True):
        self.mode, self.rate = what, BOOT_RATE
        self.packets = Packets()
        if said:
            self.resets.append(what)
            self.send(b"rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT)\r\nwaiting for download\r\n"
                      if what == "loader" else b"rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n")

    # --- the loader ---

    def receive(self, data, rate):
        if rate != self.rate:
            self.noise += len(data)
        elif self.mode == "loader":
            for packet in self.packets.feed(data):
                self.obey(packet)

    def obey(self, packet):
        direction, code, size, check = struct.unpack("<BBHI", packet[:8])
        data = packet[8:]
        if direction != 0 or size != len(data):
            return self.complaints.append(f"malformed: {packet[:16]!r}")
        words = struct.unpack(f"<{min(4, len(data) // 4)}I", data[:4 * min(4, len(data) // 4)])
        if code == SYNC:
            for _ in range(8):
                self.answer(code, 0x20120707)
        elif code == READ_REG:
            self.answer(code, MAGIC if words[0] == CHIP_MAGIC else 0)
        elif code == CHANGE_BAUD:
            self.answer(code)
            self.rate = words[0]
        elif code == FLASH_BEGIN:
            self.offset, self.blocks = words[3], 0
            self.answer(code)
        elif code == FLASH_DATA:
            self.write_block(words, data[16:], check)
        elif code == FLASH_END:
            self.answer(code)

    def write_block(self, words, block, check):
        if words[:2] != (BLOCK, self.blocks) or len(block) != BLOCK or checksum(block) != check:
            self.complaints.append(f"block {words[1]} of {len(block)} bytes, {self.blocks} was due")
            return self.answer(FLASH_DATA, failed=True)
        at = self.offset + BLOCK * self.blocks
        self.flash[at:at + BLOCK] = block
        self.blocks += 1
        self.answer(FLASH_DATA)

    def answer(self, code, value=0, failed=False):
        status = b"\x01\x07\x00\x00" if failed else b"\x00\x00\x00\x00"
        self.send(slip(struct.pack("<BBHI", 1, code, len(status), value) + status))


class ChipOnPty:
    """A chip on a pseudo terminal's master, with its lines as modem_lines.c logs them. A context."""
    TCGETS2 = 0x802C542A

    def __init__(self, master, changes):
        self.master, self.changes = master, changes
        self.chip = Chip(self.write)
        self._seen = len(changes())
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def __enter__(self):
        self._thread.start()
        return self.chip

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()

    def write(self, data):
        while data:
            select.select([], [self.master], [], 1)
            data = data[os.write(self.master, data):]

    def rate(self):
        """Of the other end (struct termios2: four words, 20 bytes, ispeed, ospeed)."""
        return struct.unpack("4I20s2I", fcntl.ioctl(self.master, self.TCGETS2, bytes(44)))[6]

    def _live(self):
        while not self._ends.is_set():
            readable, _, _ = select.select([self.master], [], [], 0.005)
            changes = self.changes()
            # The last change is judged once it is old enough to know what followed.
            ripe = [c for c in changes[self._seen:] if c[0] < time.monotonic() - 2 * EN_DELAY]
            if len(ripe) == len(changes) - self._seen and ripe:
                self.chip.replay(ripe)
                self._seen += len(ripe)
            if readable:
                try:
                    self.chip.receive(os.read(self.master, 65536), self.rate())
                except OSError:  # nobody has the other end open
                    time.sleep(0.005)
