# SPDX-License-Identifier: MIT
"""A node below one folder, for longcord-host: /sys and /etc/pve are plain folders, QEMU is a real one,
and the service is the real binary from $LONGCORD_BIN (a folder)."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from fake_sysfs import FakeVhci, LocalDevices

REPOSITORY = Path(__file__).resolve().parents[2]


def binary(name):
    presets = (REPOSITORY / "build" / preset / "bin" for preset in ("asan", "debug", "release"))
    for folder in [Path(os.environ["LONGCORD_BIN"])] if "LONGCORD_BIN" in os.environ else presets:
        if (folder / name).exists():
            return str(folder / name)
    pytest.fail(f"no {name}: build it, or set LONGCORD_BIN to the folder it is in")


def wait(condition, tell=lambda: "nothing to tell", seconds=40):
    """The first true value of `condition`. `tell` describes what is there instead."""
    end = time.monotonic() + seconds  # only a broken program needs so long
    while not (value := condition()):
        assert time.monotonic() < end, f"waited in vain; there is: {tell()}"
        time.sleep(0.02)
    return value


DIES_WITH_US = ["setpriv", "--pdeathsig", "KILL"]  # a killed test leaves nothing behind


def short_folder():
    return Path(tempfile.mkdtemp(prefix="lc-", dir="/tmp"))  # a socket's path has 107 bytes


class Qemu:
    """VM 100: firmware only, running, with Proxmox' xhci."""

    def __init__(self):
        self.folder = short_folder()
        self.run = self.folder / "qemu-server"
        self.run.mkdir()
        self.process = subprocess.Popen([
            *DIES_WITH_US, "qemu-system-x86_64", "-M", "pc,accel=tcg", "-m", "64", "-nodefaults", "-display", "none",
            "-device", "qemu-xhci,id=xhci,p2=15,p3=15", "-pidfile", str(self.run / "100.pid"),
            "-qmp", f"unix:{self.run}/100.qmp,server=on,wait=off"])
        wait(lambda: (self.run / "100.qmp").exists() and (self.run / "100.pid").exists())

    def alive(self):
        return self.process.poll() is None

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


class World:
    def __init__(self, qemu):
        self.root = short_folder()
        self.pve = self.root / "etc/pve"
        (self.pve / "nodes/pve1/qemu-server").mkdir(parents=True)
        (self.pve / "local").symlink_to("nodes/pve1")
        (self.pve / "qemu-server").symlink_to("local/qemu-server")
        (self.root / "run").mkdir()
        (self.root / "run/qemu-server").symlink_to(qemu.run)
        (self.root / "dev/bus/usb").mkdir(parents=True)
        self.config = self.root / "etc/longcord/host.yaml"
        self.config.parent.mkdir()
        self.config.write_text("node: pve1\n")
        for vmid, name in ((100, "workshop"), (101, "office")):
            (self.pve / f"qemu-server/{vmid}.conf").write_text(f"name: {name}\nmemory: 64\n")
        self.local = LocalDevices(self.root / "sys")
        self.vhci = FakeVhci(self.root / "sys")
        self.log = self.root / "log"
        self.process = None

    # --- the service

    def start(self, *arguments):
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*DIES_WITH_US, binary("longcord-host"), *arguments], stdout=log, stderr=log,
                env=self.environment())
        return self.process

    def environment(self):
        return {**os.environ, "LONGCORD_ROOT": str(self.root), "NO_COLOR": "1"}

    def serve(self):
        self.start()
        wait(lambda: not self.alive() or self.ask("status"))
        assert self.alive(), self.log.read_text()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def crash(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        return process.wait(30)

    def close(self):
        if self.alive():
            self.crash()
        self.vhci.close()
        log = self.log.read_text() if self.log.exists() else ""
        shutil.rmtree(self.root)
        assert "Sanitizer" not in log and "runtime error" not in log, log

    # --- what it says

    def ask(self, verb, **args):
        """None: nobody listens."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            try:
                client.connect(str(self.root / "run/longcord/host.sock"))
            except OSError:
                return None
            client.sendall(json.dumps({"verb": verb, "args": args}).encode() + b"\n")
            reply = json.loads(client.makefile().readline())
        assert reply["ok"], reply
        return reply["result"]

    def cli(self, *words):
        return subprocess.run([binary("longcord"), *words], env=self.environment(), timeout=60,
                              capture_output=True, text=True)

    def device(self, place):
        devices = {device["place"]: device for device in self.ask("devices")["devices"]}
        return devices.get(place)

    def pi(self, name):
        return {pi["name"]: pi for pi in self.ask("status")["pis"]}.get(name)

    def vm(self, vmid):
        return {vm["vmid"]: vm for vm in self.ask("status")["vms"]}.get(vmid)

    def events(self, **wanted):
        return [event for event in self.ask("events")["events"]
                if all(event.get(key) == value for key, value in wanted.items())]

    def says(self, text, **wanted):
        """Waits for an event with that text."""
        def seen():
            return [event for event in self.events(**wanted) if text in event["message"]]
        return wait(seen, lambda: (text, self.events(**wanted)))[0]

    def stands(self, place, text, state="waiting"):
        """Waits until the device at that place is in that state, for a reason with that text."""
        def so():
            device = self.device(place)
            return device if device and device["state"] == state and text in device["why"] else None
        return wait(so, lambda: (text, self.device(place)))

    # --- what an admin does

    def rules_file(self, vmid):
        return self.pve / f"qemu-server/{vmid}.usb.conf"

    def rules(self, vmid, text):
        """As pmxcfs shows a change: by rename."""
        new = self.pve / f"nodes/pve1/{vmid}.new"
        new.write_text(text)
        new.rename(self.rules_file(vmid))
