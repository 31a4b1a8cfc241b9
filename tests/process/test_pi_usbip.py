# SPDX-License-Identifier: MIT
"""The Pi's port 3240 as Debian's own usbip meets it, against the real longcord-pi; /sys is a fake."""
import os
import socket
import struct
import subprocess

import pytest
from test_pi import Pi, pi, wait  # noqa: F401 (a fixture)

BOARD = {"busnum": 1, "devnum": 5, "idVendor": "1a86", "idProduct": "55d4", "bcdDevice": "0443",
         "bDeviceClass": "02", "bDeviceSubClass": "00", "bDeviceProtocol": "00", "authorized": 1,
         "bNumConfigurations": 1, "bConfigurationValue": 1, "speed": 12,
         "product": "USB Single Serial", "usbip_status": 1, "usbip_sockfd": ""}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def exporting(pi):  # noqa: F811
    """1-1 is bound to usbip-host already; who may have it is for each test to say."""
    device = pi.root / "sys/devices/platform/fe9c0000.xhci/usb1/1-1"
    driver = pi.root / "sys/bus/usb/drivers/usbip-host"
    for folder in (device / "1-1:1.0", driver, pi.root / "sys/bus/usb/devices"):
        folder.mkdir(parents=True)
    (driver / "match_busid").write_text("")
    for name, value in BOARD.items():
        (device / name).write_text(f"{value}\n")
    for name, value in {"bInterfaceClass": "02", "bInterfaceSubClass": "02",
                        "bInterfaceProtocol": "01", "bInterfaceNumber": "00"}.items():
        (device / "1-1:1.0" / name).write_text(f"{value}\n")
    (device / "driver").symlink_to(driver)
    (pi.root / "sys/bus/usb/devices/usb1").symlink_to(device.parent)
    (pi.root / "sys/bus/usb/devices/1-1").symlink_to(device)
    pi.port = free_port()
    pi.device = device

    def serve(allow):
        pi.config.write_text(f"usbip_port: {pi.port}\nusbip:\n  allow: [ {allow} ]\n")
        pi.serve()
        wait(lambda: pi.ask("status")["result"]["usbip"]["listening"])
        wait(lambda: any(d["exported"] for d in pi.ask("devices")["result"]["devices"]))
    pi.export = serve
    return pi


def usbip_list(port, address="127.0.0.1"):
    return subprocess.run(["usbip", "--tcp-port", str(port), "list", "-r", address],
                          capture_output=True, text=True, timeout=60)


def test_usbip_list_from_an_allowed_address_shows_the_device(exporting):
    exporting.export("127.0.0.0/8")
    done = usbip_list(exporting.port)
    assert "1-1:" in done.stdout and "1a86:55d4" in done.stdout, done
    assert "Communications" in done.stdout


def test_usbip_list_over_ipv6(exporting):
    exporting.export("'::1'")
    assert "1-1:" in usbip_list(exporting.port, "::1").stdout


def test_usbip_list_from_any_other_address_is_closed(exporting):
    exporting.export("10.0.0.0/8")
    done = usbip_list(exporting.port)
    assert "1-1:" not in done.stdout
    assert exporting.ask("status")["result"]["usbip"]["turned_away"] == 1


def test_a_device_in_use_is_not_listed(exporting):
    exporting.export("127.0.0.1")
    (exporting.device / "usbip_status").write_text("2\n")
    assert "1-1:" not in usbip_list(exporting.port).stdout


def test_an_import_is_answered_and_its_end_is_noticed(exporting):
    exporting.export("127.0.0.1")
    with socket.create_connection(("127.0.0.1", exporting.port)) as client:
        client.sendall(struct.pack(">HHI32s", 0x0111, 0x8003, 0, b"1-1"))
        reply = client.recv(320, socket.MSG_WAITALL)
        assert len(reply) == 320 and reply[:8] == struct.pack(">HHI", 0x0111, 3, 0)

        def stream():
            return exporting.ask("devices")["result"]["devices"][0]["stream"]
        wait(lambda: stream() and stream()["engine"] == "plain")
        assert stream()["node"] == "127.0.0.1"
        assert (exporting.device / "usbip_sockfd").read_text().isdigit()
    wait(lambda: stream() is None)


def test_sixteen_strangers_and_then_no_more(exporting):
    exporting.export("10.0.0.0/8")
    addresses = [f"127.0.0.{n}" for n in range(2, 12) for _ in range(2)]
    clients = [socket.create_connection(("127.0.0.1", exporting.port), source_address=(address, 0))
               for address in addresses]
    for client in clients:
        client.settimeout(30)
    closed = 0
    for client in clients[16:]:
        closed += client.recv(1) == b""
    assert closed == 4
    for client in clients:
        assert client.recv(1) == b""  # the others are silent, and gone after 2 s
        client.close()


def test_a_port_that_is_taken_is_said_with_who_has_it_and_served_when_it_is_free(exporting):
    (exporting.root / "proc").symlink_to("/proc")
    with socket.create_server(("0.0.0.0", exporting.port)):
        exporting.config.write_text(f"usbip_port: {exporting.port}\n")
        exporting.serve()
        exporting.says(f"port {exporting.port} is taken by")
        exporting.says(f"(pid {os.getpid()})")
        status = exporting.ask("status")["result"]
        assert not status["usbip"]["listening"]
        assert any("is taken by" in problem for problem in status["problems"])
    wait(lambda: exporting.ask("status")["result"]["usbip"]["listening"])
    assert not any("taken" in problem for problem in exporting.ask("status")["result"]["problems"])


def test_another_port_is_served_after_a_reload(exporting):
    exporting.export("127.0.0.1")
    other = free_port()
    exporting.config.write_text(f"usbip_port: {other}\nusbip:\n  allow: [ 127.0.0.1 ]\n")
    exporting.process.send_signal(1)
    wait(lambda: exporting.ask("status")["result"]["usbip"]["port"] == other)
    wait(lambda: exporting.ask("status")["result"]["usbip"]["listening"])
    assert "1-1:" in usbip_list(other).stdout
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", exporting.port))
