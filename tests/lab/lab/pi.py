"""The machine `pi` (host name workbench): eight sockets for gadgets, and a hub for emulated devices."""

from lab.gadget import REMOVE_ALL
from lab.machine import Machine
from lab.ssh import Failed
from lab.wait import wait

NAME = "workbench"


class Pi(Machine):
    role = "pi"
    address = "10.77.0.2"

    def plug(self, gadget):
        """Plugs a gadget in, for good: it also comes back when the Pi reboots or loses its power. Returns its place."""
        path = f"/var/lib/lab/plugged/{gadget.name}"
        self.run(f"cat >{path} && sync {path} /var/lib/lab/plugged && sh {path}", input=gadget.plug_script())
        return self.place(gadget)

    def unplug(self, gadget):
        self.run(gadget.unplug_script())

    def replug(self, gadget):
        self.unplug(gadget)
        return self.plug(gadget)

    def unplug_all(self):
        self.run(REMOVE_ALL)
        for name in self.local_devices():
            self.unplug_local(name)

    def start_usbipd(self):
        """Stock usbipd on port 3240, for what has none of its own."""
        self.run("modprobe usbip-host; systemctl start lab-usbipd 2>/dev/null || systemd-run --quiet --unit=lab-usbipd usbipd")

    def stop_usbipd(self):
        self.run("systemctl stop lab-usbipd 2>/dev/null; true")

    def busid(self, gadget):
        """The kernel's name of the gadget's port, like "3-1"; it may change when the Pi reboots."""
        bus = self.run(f"cat /sys/devices/platform/dummy_hcd.{gadget.socket}/usb*/busnum").split()[0]
        return f"{bus}-1"

    def place(self, gadget):
        return f"{NAME}/{self.busid(gadget)}"

    def wait_for_device(self, gadget, timeout=60):
        """Waits until the Pi's own kernel has enumerated the gadget; returns its busid. One that is exported shows
        no interfaces, and may never have had any here (scenarios/claimed_ports.py)."""
        busid = self.busid(gadget)
        there = (f"cd /sys/bus/usb/devices/{busid} && "
                 f"{{ test -e {busid}:1.0 || readlink driver | grep -q usbip-host; }} && echo there")
        wait(lambda: self.run(there, check=False).stdout,
             timeout, f"{gadget.name} to be enumerated on the Pi")
        return busid

    def tty(self, gadget):
        """The gadget's own end of its serial line."""
        number = self.run(f"cat /sys/kernel/config/usb_gadget/{gadget.name}/functions/acm.{gadget.name}/port_num")
        return f"/dev/ttyGS{number.strip()}"

    def exchange(self, gadget, sent, expected, timeout=60):
        """Sends bytes from the gadget's end and returns what came until `expected` had; fails where it did not."""
        line = f"lab-tty exchange {self.tty(gadget)} {timeout} '{sent.hex()}' '{expected.hex()}'"
        done = self.run(line, check=False, timeout=timeout + 60)
        if done.returncode != 0:
            raise Failed(f"{gadget.name} sent {sent!r}, wanted {expected!r}, got {done.stdout.strip()} {done.stderr}")
        return bytes.fromhex(done.stdout)
