#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The machines behind the page, for the tests in a browser: a real longcord-pi with a small fake of
/sys and a real longcord-portal, at an address that is not loopback; where it is asked for, a real
node with Debian's sshd. One JSON object a line on stdin does something, and one on stdout says what
came of it."""
import ipaddress
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "process"))
import host_world  # noqa: E402
from host_world import short_folder, wait  # noqa: E402
from pairing_world import Node, free_port  # noqa: E402
from played_pi import PlayedPi, device  # noqa: E402
from portal_world import Portal, code_of  # noqa: E402
from test_pi_serial import SerialPi  # noqa: E402

OF_OUR_OWN = "198.51.100.77"  # RFC 5737: of nobody


class Pi(SerialPi):
    def __init__(self, root):
        self.usbip_port = free_port()
        super().__init__(root)

    def settings(self, **serial):
        self.config.write_text(json.dumps({"name": "workbench", "usbip_port": self.usbip_port,
                                           "serial": {"listen": [self.address], **serial}}))

    def plug_hub(self, busid, ports):
        folder = self.hub / busid
        (folder / f"{busid}:1.0").mkdir(parents=True)
        for name, value in {"devnum": 2, "idVendor": "2109", "idProduct": "3431", "bcdDevice": "0420", "authorized": 1,
                            "bDeviceClass": "09", "speed": 480, "bConfigurationValue": 1, "bNumConfigurations": 1,
                            "product": "USB2.0 Hub", "maxchild": ports}.items():
            (folder / name).write_text(f"{value}\n")
        (folder / f"{busid}:1.0/bInterfaceClass").write_text("09\n")
        (self.root / "sys/bus/usb/devices" / busid).symlink_to(folder)
        wait(lambda: busid in self.devices())


def address_not_loopback():
    """(address, whether it is to be taken away at the end)"""
    lines = subprocess.run(["ip", "-4", "-o", "addr", "show", "scope", "global"], capture_output=True, text=True)
    for line in lines.stdout.splitlines():
        address = line.split()[3].split("/")[0]
        if not ipaddress.ip_address(address).is_loopback and "linkdown" not in line:
            return address, False
    subprocess.run(["ip", "addr", "add", f"{OF_OUR_OWN}/32", "dev", "lo"], check=True)
    return OF_OUR_OWN, True


class World:
    def __init__(self):
        self.address, self.added = address_not_loopback()
        self.pi = Pi(short_folder())
        (self.pi.hub / "maxchild").write_text("4\n")
        self.pi.serve()
        self.portal = Portal(self.pi, address=self.address).start()
        self.node = None
        self.behind_host = []  # what a node's own portal shows, in the order in which it was begun

    def where(self):
        return {"url": f"http://{self.address}:{self.portal.port}"}

    def code(self):
        return {"code": code_of(self.pi)}

    def plug(self, busid, tty="ttyUSB0", **values):
        began = time.time()
        self.pi.plug(busid, tty, **values)
        return {"at": began}

    def plug_hub(self, busid, ports):
        self.pi.plug_hub(busid, ports)

    def unplug(self, busid):
        self.pi.unplug(busid)

    def set_mode(self, busid, mode):
        self.pi.mode(busid, mode)
        if mode == "serial":
            self.pi.served(busid)

    def say(self, busid, text):
        self.pi.boards[busid].say(text.encode())

    def knock(self, busid):
        """As somebody whom the port of that device does not know."""
        self.pi.reload(listen=[self.pi.address, self.address])
        port = self.pi.ports()[busid]["port"]
        client = wait(lambda: self.at(port))  # refused until it listens there, too
        return {"address": self.address, "refused": b"may not use this port" in client.rest()}

    def at(self, port):
        try:
            return self.pi.connect(port, self.address)
        except ConnectionRefusedError:
            return None

    def allowed(self):
        return {"allow": json.loads(self.pi.cli("serial", "allow", "--json"))["allow"]}

    def ports(self):
        return {"ports": self.pi.ports()}

    def devices(self):
        return {"devices": self.pi.devices()}

    def stop_service(self):
        self.pi.stop()

    def start_service(self):
        self.pi.serve()

    def start_node(self):
        self.node = Node()
        self.node.up()

    def pair(self, name):
        return {"token": self.node.pair(name)}

    def pis(self):
        return {"pis": self.node.pis()}

    def start_host(self):
        """A node with VMs, rules, devices of its own and a Pi, and its own portal, for this machine only."""
        qemu = host_world.Qemu()
        self.behind_host = [qemu]
        world = host_world.World(qemu)
        self.behind_host.append(world)
        world.local.plug("3-4", devnum=7, product="Dongle <b>", serial="A1")
        world.serve()
        world.rules(100, "# the workshop's\n3-4\n*/* 10c4:ea60 serial=0001\n!3-9\n")
        world.rules(101, "3-4.1 class=hid\n3-\n")
        self.behind_host.append(PlayedPi(world, "bench", [device("1-1.2")]))
        portal = Portal(world, role="host").start()
        self.behind_host.append(portal)
        wait(lambda: world.device("3-4")["vmid"] == 100)
        return {"url": f"http://127.0.0.1:{portal.port}", "code": code_of(world)}

    def close(self):
        for part in (*self.behind_host[::-1], self.portal, self.node):
            if part:
                part.close()
        self.pi.process.kill()
        self.pi.process.wait()
        for board in self.pi.boards.values():
            board.close()
        log = self.pi.log.read_text()
        shutil.rmtree(self.pi.root, ignore_errors=True)
        if self.added:
            subprocess.run(["ip", "addr", "del", f"{OF_OUR_OWN}/32", "dev", "lo"], check=False)
        assert "Sanitizer" not in log, log


def main():
    world = World()
    try:
        for line in sys.stdin:
            request = json.loads(line)
            do = request.pop("do")
            try:
                answer = {"ok": True, **(getattr(world, do)(**request) or {})}
            except (Exception, SystemExit) as error:  # whatever it is, the test has to hear of it
                answer = {"ok": False, "error": f"{do}: {error!r}"}
            print(json.dumps(answer), flush=True)
    finally:
        world.close()


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    main()
