# SPDX-License-Identifier: MIT
"""Boards behind USB-to-serial bridges for a real longcord-pi: /sys is a small fake, the terminals are
pseudo terminals."""
import sys

from serial_port import REPOSITORY, Board

sys.path.insert(0, str(REPOSITORY / "tests" / "serial"))
from bridges import Bridges  # noqa: E402

KEYS = {"1-1": "platform-fe9c0000.xhci/1", "1-2": "platform-fe9c0000.xhci/2"}


class Boards(Bridges):
    """`at`: by place."""

    def __init__(self, root):
        super().__init__(root)
        self.at = {}

    def plug(self, busid, tty="ttyUSB0", interface="1.0", devnum=None, **values):
        """A CP2102 whose terminal's far end is a Board."""
        self.describe(busid, tty, interface, devnum, **values)
        self.at[busid] = Board(self.dev / tty)
        self.announce(busid)
        return self.at[busid]

    def unplug(self, busid):
        self.remove(busid)
        self.at.pop(busid).unplug()

    def close(self):
        for board in self.at.values():
            board.close()
