# SPDX-License-Identifier: MIT
"""The parts of /sys that longcord-host looks at: devices of this host, and a vhci_hcd of 8 + 8 ports
that enumerates what it was told of."""
import os
import re
import shutil
import threading


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

    PORTS = 16

    def __init__(self, sys):
        self.sys = sys
        self.folder = sys / "devices/platform/vhci_hcd.0"
        self.attached, self.detached, self.devices, self.used = [], [], {}, {}
        self.lock = threading.Lock()
        for bus in (5, 6):
            write_all(self.hub(bus), {"authorized_default": 1, "interface_authorized_default": 1})
            for port in range(1, 9):
                write_all(self.hub(bus) / f"{bus}-0:1.0/usb{bus}-port{port}", {"quirks": 0})
            (sys / f"bus/usb/devices/usb{bus}").symlink_to(self.hub(bus))
        self.show()
        self.stopped = False
        self.pipes = {}
        for name, took in (("attach", self._attach), ("detach", self._detach)):
            os.mkfifo(self.folder / name)
            self.pipes[name] = os.open(self.folder / name, os.O_RDWR)
            threading.Thread(target=self._read, args=(name, took), daemon=True).start()

    def hub(self, bus):
        return self.folder / f"usb{bus}"

    @staticmethod
    def busid(port):
        return f"{5 + port // 8}-{port % 8 + 1}"

    def show(self):
        rows = ["hub port sta spd dev      sockfd local_busid"]
        for port in range(self.PORTS):
            state, speed, devid, sockfd, busid = self.used.get(port, (4, 0, 0, 0, "0-0"))
            rows.append(f"{'ss' if port >= 8 else 'hs'}  {port:04} {state:03} {speed:03} {devid:08x} "
                        f"{sockfd:06} {busid}")
        new = self.folder / "status.new"
        new.write_text("\n".join(rows) + "\n")
        new.rename(self.folder / "status")

    def close(self):
        with self.lock:
            self.stopped = True
        for pipe in self.pipes.values():
            os.write(pipe, b"\n")

    def _read(self, name, took):
        pipe = self.pipes[name]
        while not self.stopped:
            text = os.read(pipe, 4096).decode()
            with self.lock:
                if not self.stopped:
                    took(text)
        os.close(pipe)

    def _attach(self, text):
        # Two writes may come as one; a speed has one digit.
        for words in re.findall(r"(\d+) (\d+) (\d+) (\d)", text):
            port, sockfd, devid, speed = map(int, words)
            self.attached.append((port, sockfd, devid, speed))
            known = self.devices.get(devid)
            if known is None:
                self.used[port] = (5, 0, 0, 0, "0-0")  # VDEV_ST_NOTASSIGNED
                self.show()
                continue
            self.used[port] = (6, speed, devid, sockfd, self.busid(port))
            self.show()
            values = {"devnum": 2 + len(self.attached), "authorized": 0, **known}
            add_device(self.sys, self.hub(5 + port // 8), self.busid(port), values)

    def end_stream(self, port):
        """As the kernel does when the connection is gone."""
        with self.lock:
            self._free(port)

    def _detach(self, text):
        port = int(text)
        self.detached.append(port)
        self._free(port)

    def _free(self, port):
        row = self.used.pop(port, None)
        self.show()
        if row and row[0] == 6:
            remove_device(self.sys, self.hub(5 + port // 8), self.busid(port))
