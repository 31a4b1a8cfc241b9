# SPDX-License-Identifier: MIT
"""longcord-pi as systemd and an admin meet it: configuration, exit codes, signals, and what it says of
devices that come. The binary is in $LONGCORD_BIN (a folder); /sys is a small fake."""
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EX_CONFIG = 78


def binary():
    presets = (REPOSITORY / "build" / preset / "bin" for preset in ("asan", "debug", "release"))
    for folder in [Path(os.environ["LONGCORD_BIN"])] if "LONGCORD_BIN" in os.environ else presets:
        if (folder / "longcord-pi").exists():
            return str(folder / "longcord-pi")
    pytest.fail("no longcord-pi: build it, or set LONGCORD_BIN to the folder it is in")


def wait(condition):
    end = time.monotonic() + 30  # only a broken program needs so long
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


class Pi:
    def __init__(self, root):
        self.root = root
        self.config = root / "etc/longcord/pi.yaml"
        self.config.parent.mkdir(parents=True)
        self.config.write_text("")
        self.log = root / "log"
        self.process = None

    def start(self, *arguments):
        with self.log.open("w") as log:
            self.process = subprocess.Popen([binary(), *arguments], stdout=log, stderr=log,
                                            env={**os.environ, "LONGCORD_ROOT": str(self.root)})
        return self.process

    def serve(self):
        self.start()
        wait(lambda: self.process.poll() is not None or self.ask("status"))
        assert self.process.poll() is None, self.log.read_text()

    def ask(self, verb):
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.root / "run/longcord/pi.sock"))
            except OSError:
                return None
            client.sendall(json.dumps({"verb": verb, "args": {}}).encode() + b"\n")
            return json.loads(client.makefile().readline())

    def says(self, text):
        wait(lambda: text in self.log.read_text())

    def plug_keyboard(self, busid):
        device = self.root / "sys/devices/platform/fe9c0000.xhci/usb1" / busid
        interface = device / f"{busid}:1.0"
        driver = self.root / "sys/bus/usb/drivers/usbhid"
        for folder in (interface, driver):
            folder.mkdir(parents=True, exist_ok=True)
        for name, value in {"devnum": 3, "idVendor": "046d", "idProduct": "c31c", "authorized": 1,
                            "product": "USB Keyboard", "bDeviceClass": "00"}.items():
            (device / name).write_text(f"{value}\n")
        (interface / "bInterfaceClass").write_text("03\n")
        (interface / "driver").symlink_to(driver)
        (self.root / "sys/bus/usb/devices" / busid).symlink_to(device)


@pytest.fixture
def pi(tmp_path):
    machine = Pi(tmp_path)
    yield machine
    if machine.process and machine.process.poll() is None:
        machine.process.kill()
        machine.process.wait()
    assert not machine.log.exists() or "Sanitizer" not in machine.log.read_text()


def test_a_good_configuration_is_said_to_be_good(pi):
    assert pi.start("--check-config").wait(30) == 0
    pi.says("good")


@pytest.mark.parametrize("arguments", [["--check-config"], []])
def test_a_bad_configuration_ends_with_78_and_names_the_line(pi, arguments):
    pi.config.write_text("log_level: info\nexprot: {}\n")
    assert pi.start(*arguments).wait(30) == EX_CONFIG
    pi.says(f"{pi.config}:2: unknown key 'exprot'")


def test_a_reload_keeps_the_old_configuration_where_the_new_one_is_bad(pi):
    pi.serve()
    pi.config.write_text("nodes: [ 127.0.0.1:1 ]\n")
    pi.process.send_signal(signal.SIGHUP)
    wait(lambda: [link["host"] for link in pi.ask("status")["result"]["links"]] == ["127.0.0.1:1"])
    pi.config.write_text("nodes: 7\n")
    pi.process.send_signal(signal.SIGHUP)
    pi.says("stays in force")
    assert len(pi.ask("status")["result"]["links"]) == 1
    pi.config.write_text("")
    pi.process.send_signal(signal.SIGHUP)
    wait(lambda: pi.ask("status")["result"]["links"] == [])


def test_a_device_that_is_not_exported_says_why(pi):
    pi.serve()
    pi.plug_keyboard("1-1")
    wait(lambda: pi.ask("devices")["result"]["devices"])
    (device,) = pi.ask("devices")["result"]["devices"]
    assert (device["place"], device["id"]) == ("1-1", "046d:c31c")
    assert device["controller"] == "platform-fe9c0000.xhci"
    assert (device["mode"], device["exported"]) == ("off", False)
    wait(lambda: "usbhid" in pi.ask("devices")["result"]["devices"][0]["why"])


def test_it_stops_when_told_and_leaves_no_socket(pi):
    pi.serve()
    pi.process.send_signal(signal.SIGTERM)
    assert pi.process.wait(30) == 0
    assert not (pi.root / "run/longcord/pi.sock").exists()


def test_what_it_does_not_know_it_refuses(pi):
    pi.serve()
    answer = pi.ask("attach")
    assert not answer["ok"]
    assert "attach" in answer["error"]["message"]
