# SPDX-License-Identifier: MIT
"""A small fake of /sys with CP2102s in it, for longcord-pi. Their terminals are for the caller to make,
as links in `dev`."""
import subprocess


class Bridges:
    """Below `root`, by place."""

    def __init__(self, root):
        self.root = root
        self.hub = root / "sys/devices/platform/fe9c0000.xhci/usb1"
        self.hub.mkdir(parents=True)
        (root / "sys/bus/usb/devices").mkdir(parents=True)
        (root / "sys/bus/usb/devices/usb1").symlink_to(self.hub)
        self.dev = root / "dev"
        self.dev.mkdir(exist_ok=True)
        self.devnum = 10

    def describe(self, busid, tty, interface="1.0", devnum=None, **values):
        """What the kernel shows of it, until announce() not yet to those who list devices."""
        self.devnum += 1
        device = self.hub / busid
        part = device / f"{busid}:{interface}"
        driver = self.root / "sys/bus/usb/drivers/cp210x"
        for folder in (part / tty / "tty" / tty, driver):
            folder.mkdir(parents=True, exist_ok=True)
        for name, value in {"devnum": devnum or self.devnum, "idVendor": "10c4", "idProduct": "ea60",
                            "bcdDevice": "0100", "authorized": 1, "bDeviceClass": "00", "speed": 12,
                            "bConfigurationValue": 1, "bNumConfigurations": 1, **values}.items():
            (device / name).write_text(f"{value}\n")
        (part / "bInterfaceClass").write_text("ff\n")
        (part / "driver").symlink_to(driver)

    def announce(self, busid):
        (self.root / "sys/bus/usb/devices" / busid).symlink_to(self.hub / busid)

    def remove(self, busid):
        (self.root / "sys/bus/usb/devices" / busid).unlink()
        subprocess.run(["rm", "-r", str(self.hub / busid)], check=True)
