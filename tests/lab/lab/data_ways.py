# SPDX-License-Identifier: MIT
"""Five ways for the same two devices of the Pi to be the node's, one at a time: stock USB/IP, the same through an SSH
channel, Longcord in clear (a plain server of host.yaml), and Longcord sealed by the kernels or by our own process."""

import contextlib

from lab import stock
from lab.gadget import Gadget
from lab.longcord import HOST_YAML, SERVE_THE_LAB, Longcord, pi_yaml
from lab.ways import HUBS, Way

BOARD = Gadget(socket=0)
DISK = Gadget(name="disk", kind="mass_storage", vendor=0x0525, product=0xA4A5, serial="D1", text="Disk", socket=1,
              size=64 << 20)
DEVICES = (BOARD, DISK)
NO_TLS = "/etc/modprobe.d/lab-no-tls.conf"
TUNNEL = 3241


class Stock(Way):
    name = "stock USB/IP"
    attach = "usbip attach -r {address}"

    def begin(self, places):
        self.services(False)
        self.lab.node.run(HUBS.format(authorised=1, quirks=0))
        self.lab.pi.start_usbipd()
        for number, busid in enumerate(places):
            self.lab.pi.run(f"usbip bind -b {busid} 2>/dev/null; readlink /sys/bus/usb/devices/{busid}/driver | grep usbip-host")
            before = stock.imported(self.lab)
            self.lab.node.run(f"{self.attach.format(address=self.lab.pi.address)} -b {busid}")
            # usbip cannot read vhci's table while a device on it is being enumerated.
            came = self.lab.wait(lambda: stock.imported(self.lab) - before, what=f"{busid} to enumerate")
            self.vm.qmp("device_add", driver="usb-host", hostdevice=came.pop(), id=f"stock{number}", bus="xhci.0",
                        port=str(number + 1))

    def end(self):
        for number in range(len(DEVICES)):
            self.vm.qmp("device_del", id=f"stock{number}")
        self.lab.node.run("for port in $(usbip port 2>/dev/null | sed -n 's/^Port \\([0-9]*\\):.*/\\1/p'); do usbip detach -p $port; done")
        self.lab.pi.stop_usbipd()
        self.services(True)


class ThroughSsh(Stock):
    name = "stock through ssh"
    attach = f"usbip --tcp-port {TUNNEL} attach -r 127.0.0.1"

    def begin(self, places):
        pi, node = self.lab.pi, self.lab.node
        pi.put(node.images.ssh_key, "/root/.ssh/push", mode="600")
        pi.run("systemd-run --quiet --collect --unit=lab-tunnel ssh -i /root/.ssh/push -o StrictHostKeyChecking=accept-new "
               f"-o ExitOnForwardFailure=yes -N -R 127.0.0.1:{TUNNEL}:127.0.0.1:3240 root@{node.address}")
        self.lab.wait(lambda: node.run(f"ss -Hltn 'sport = {TUNNEL}'").strip(), what="the tunnel")
        super().begin(places)

    def end(self):
        super().end()
        self.lab.pi.run("systemctl stop lab-tunnel")


class Sealed(Way):
    name = "Longcord, kernel TLS"
    engine, pi_name = "kernel TLS", "workbench"
    has_tls, host_yaml, pi_yaml = True, "", ""

    def begin(self, places):
        pi, node = self.lab.pi, self.lab.node
        if not self.has_tls:
            self.both(*2 * [f"echo 'install tls /bin/false' >{NO_TLS}; rmmod tls 2>/dev/null; ! lsmod | grep -qw ^tls"])
        node.put(HOST_YAML + self.host_yaml, "/etc/longcord/host.yaml")
        pi.put(pi_yaml(*self.lab.nodes()) + self.pi_yaml, "/etc/longcord/pi.yaml")
        self.both("systemctl restart longcord-pi", "systemctl restart longcord-host")
        longcord = Longcord(self.lab)
        longcord.wait_linked()
        longcord.allow(DISK)
        self.vm.write_rules(self.pi_name)
        self.look(longcord, places)
        for busid in places:
            device = longcord.wait_state(f"{self.pi_name}/{busid}", "plugged", 120)
            assert device["stream"] == self.engine, device

    def look(self, longcord, places):
        pass  # a linked Pi says what it has

    def end(self):
        self.vm.remove_rules()
        self.lab.wait(lambda: not self.vm.plugged(), what="QEMU to have let go")
        if not self.has_tls:
            self.both(*2 * [f"rm -f {NO_TLS}; modprobe tls"])
        self.lab.node.put(HOST_YAML, "/etc/longcord/host.yaml")
        self.lab.pi.put(pi_yaml(*self.lab.nodes()), "/etc/longcord/pi.yaml")
        self.both("systemctl reload longcord-pi", "systemctl reload longcord-host")


class InUserSpace(Sealed):
    name = "Longcord, user space"
    engine, has_tls = "user space", False


class InClear(Sealed):
    name = "Longcord, in clear"
    engine, pi_name, pi_yaml = "direct", "clear", SERVE_THE_LAB

    def look(self, longcord, places):
        def listed():
            longcord.cli("rescan")  # a plain server says nothing by itself
            return all(longcord.device(f"{self.pi_name}/{busid}") for busid in places)
        self.lab.wait(listed, what="the Pi to list both")

    @property
    def host_yaml(self):
        return f"usbip_servers:\n  clear: {{ address: {self.lab.pi.address} }}\n"


ALL = (Stock, InClear, Sealed, InUserSpace, ThroughSsh)


@contextlib.contextmanager
def devices_without_a_guest(lab, vm):
    """Both devices at the Pi, whose serial line says again what it hears. The VM's QEMU gets them, and its guest leaves
    them alone, so that the node can move the data itself: a guest is emulated twice, and would be all that is measured."""
    vm.guest.run("for hub in /sys/bus/usb/devices/usb*; do echo 0 >$hub/authorized_default; done")
    for gadget in DEVICES:
        lab.pi.plug(gadget)
        lab.pi.wait_for_device(gadget)
    lab.pi.run(f"systemd-run --quiet --collect --unit=lab-echo lab-tty echo {lab.pi.tty(BOARD)} 0")
    try:
        yield [lab.pi.busid(gadget) for gadget in DEVICES]
    finally:
        lab.pi.run("systemctl stop lab-echo")
        vm.stop()
