# SPDX-License-Identifier: MIT
"""The parts of /sys that longcord-host looks at: devices of this host, and a vhci_hcd of 8 + 8 ports
that enumerates what it was told of."""
import os
import re
import select
import shutil
import threading
import time


def write_all(folder, values):
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n")


SERIAL_BOARD = {"idVendor": "1a86", "idProduct": "55d4", "bcdDevice": "0443", "bDeviceClass": "02",
                "bDeviceSubClass": "00", "bDeviceProtocol": "00", "bNumConfigurations": 1,
                "bConfigurationValue": 1, "speed": 12, "product": "USB Single Serial",
                "serial": "A1"}


def add_device(sys, hub, busid, values):
    """Below `hub` (a folder); the link in /sys/bus/usb/devices comes last, as an event does."""
    folder = hub / busid
    write_all(folder, {**SERIAL_BOARD, **values})
    for number, code in enumerate(("02", "0a")):
        write_all(folder / f"{busid}:1.{number}",
                  {"bInterfaceNumber": f"{number:02}", "bInterfaceClass": code,
                   "bInterfaceSubClass": "00", "bInterfaceProtocol": "00",
                   "authorized": values["authorized"]})
    (sys / "bus/usb/devices" / busid).symlink_to(folder)


def remove_device(sys, hub, busid):
    (sys / "bus/usb/devices" / busid).unlink()
    shutil.rmtree(hub / busid)


class LocalDevices:
    def __init__(self, sys):
        self.sys = sys
        self.hub = sys / "devices/pci0000:00/0000:00:14.0/usb3"
        self.hub.mkdir(parents=True)
        (sys / "bus/usb/devices").mkdir(parents=True)
        (sys / "bus/usb/devices/usb3").symlink_to(self.hub)

    def plug(self, busid, devnum, **values):
        add_device(self.sys, self.hub, busid, {"devnum": devnum, "authorized": 1, **values})

    def unplug(self, busid):
        remove_device(self.sys, self.hub, busid)


class FakeVhci:
    """`attached` and `detached`: what was written, in order. `devices`: devid -> sysfs values of what
    then appears; an attach of any other devid is never enumerated."""

    PORTS_OF_A_SPEED = 8

    def __init__(self, sys):
        self.sys = sys
        self.folder = sys / "devices/platform/vhci_hcd.0"
        self.attached, self.detached, self.devices, self.used = [], [], {}, {}
        self.lock = threading.Lock()
        for bus in (5, 6):
            write_all(self.hub(bus), {"authorized_default": 1, "interface_authorized_default": 1})
            for port in range(1, self.PORTS_OF_A_SPEED + 1):
                write_all(self.hub(bus) / f"{bus}-0:1.0/usb{bus}-port{port}", {"quirks": 0})
            (sys / f"bus/usb/devices/usb{bus}").symlink_to(self.hub(bus))
        self.show()
        self.stopped = False
        self.pipes = {}
        for name in ("attach", "detach"):
            os.mkfifo(self.folder / name)
            self.pipes[name] = os.open(self.folder / name, os.O_RDWR)
        threading.Thread(target=self._read, daemon=True).start()

    def hub(self, bus):
        return self.folder / f"usb{bus}"

    def bus(self, port):
        return 5 + port // self.PORTS_OF_A_SPEED

    def busid(self, port):
        return f"{self.bus(port)}-{port % self.PORTS_OF_A_SPEED + 1}"

    def show(self):
        rows = ["hub port sta spd dev      sockfd local_busid"]
        for port in range(2 * self.PORTS_OF_A_SPEED):
            state, speed, devid, sockfd, busid = self.used.get(port, (4, 0, 0, 0, "0-0"))
            rows.append(f"{'ss' if port >= self.PORTS_OF_A_SPEED else 'hs'}  {port:04} {state:03} {speed:03} {devid:08x} "
                        f"{sockfd:06} {busid}")
        new = self.folder / "status.new"
        new.write_text("\n".join(rows) + "\n")
        new.rename(self.folder / "status")

    def close(self):
        with self.lock:
            self.stopped = True
        os.write(self.pipes["detach"], b"\n")  # one word wakes the reader, which closes both

    def _read(self):
        """What was detached before an attach was written is gone before that: to the kernel a write is the deed."""
        took = {self.pipes["detach"]: self._detach, self.pipes["attach"]: self._attach}
        while not self.stopped:
            ready, _, _ = select.select(list(took), [], [])
            for pipe in [pipe for pipe in took if pipe in ready]:
                text = os.read(pipe, 4096).decode()
                with self.lock:
                    if not self.stopped:
                        took[pipe](text)
        for pipe in took:
            os.close(pipe)

    def _attach(self, text):
        # Two writes may come as one; a speed has one digit.
        for words in re.findall(r"(\d+) (\d+) (\d+) (\d)", text):
            port, sockfd, devid, speed = map(int, words)
            # A write to this FIFO ends before it is read, so that a program may see the port free after its attach,
            # and attach once more. A kernel refuses that; the first one stands.
            if port in self.used:
                continue
            self.attached.append((port, sockfd, devid, speed))
            known = self.devices.get(devid)
            if known is None:
                self.used[port] = (5, 0, 0, 0, "0-0")  # VDEV_ST_NOTASSIGNED
                self.show()
                continue
            self.used[port] = (6, speed, devid, sockfd, self.busid(port))
            self.show()
            values = {"devnum": 2 + len(self.attached), "authorized": 0, **known}
            add_device(self.sys, self.hub(self.bus(port)), self.busid(port), values)

    def attach_by_hand(self, port, devid):
        """As `usbip attach` does."""
        with self.lock:
            self.devices[devid] = {}
            self._attach(f"{port} 7 {devid} 2")

    def end_stream(self, port):
        """As the kernel does when the connection is gone. What was written to `attach` may be in its pipe yet."""
        end = time.monotonic() + 40  # only a broken program needs so long
        while port not in self.used:
            assert time.monotonic() < end, f"nothing was attached to vhci port {port}"
            time.sleep(0.01)
        with self.lock:
            self._free(port)

    def _detach(self, text):
        if not text.strip():
            return
        # Two writes may come as one: "01" is 0 and 1, and "10" is those where no port 10 is in use.
        one = text == str(int(text)) and (int(text) in self.used or len(text) == 1)
        for port in [int(text)] if one else map(int, text):
            self.detached.append(port)
            self._free(port)

    def _free(self, port):
        row = self.used.pop(port, None)
        self.show()
        if row and row[0] == 6:
            remove_device(self.sys, self.hub(self.bus(port)), self.busid(port))
