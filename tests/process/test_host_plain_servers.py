# SPDX-License-Identifier: MIT
"""Plain USB/IP servers of host.yaml: usbipd, usbipd-win, Renode. longcord-host asks for their lists and
imports in clear; what the servers answer is hand-made after their sources."""
import signal
import struct

import pytest
from host_world import wait
from played_pi import UsbipServer, import_reply

DEVID = 1 << 16 | 3


@pytest.fixture
def node(idle_world, server):
    """host.yaml names the server "labserver"; a rule wants everything of it."""
    configure(idle_world, server.port)
    idle_world.vhci.devices[DEVID] = {}
    idle_world.rules(100, "labserver\n")
    return idle_world


def configure(world, port):
    world.config.write_text(
        f"node: pve1\nusbip_servers:\n  labserver: {{ address: \"127.0.0.1:{port}\" }}\n")


def enumerated(node):
    """Its kernel has the device: an end of the stream before that would be another story."""
    wait(lambda: node.events(kind="authorised", place="labserver/1-1"), lambda: node.events())


def test_a_server_is_asked_at_start_and_its_device_imported_in_clear(node, server):
    node.serve()
    node.says("import labserver/1-1", kind="imported")
    assert server.asked == ["list", "1-1"]
    assert node.device("labserver/1-1")["stream"] == "direct"
    assert node.pi("labserver")["plain"] is True
    assert "plain USB/IP, unprotected" in node.cli("status").stdout


def test_a_server_that_is_away_at_start_is_found_by_rescan(node, server):
    server.close()
    node.serve()
    node.says("Connection refused", kind="unlinked", pi="labserver")
    told = node.cli("rescan")
    assert told.returncode == 5 and "labserver: " in told.stdout and "refused" in told.stdout
    assert "plain USB/IP, no answer" in node.cli("status").stdout
    again = UsbipServer(plain=True)
    again.serve("1-1")
    configure(node, again.port)
    node.process.send_signal(signal.SIGHUP)
    node.says("import labserver/1-1", kind="imported")
    again.close()


def test_what_comes_later_is_found_by_rescan_and_what_is_in_use_here_stays(node, server):
    node.serve()
    node.says("import labserver/1-1", kind="imported")
    server.in_use.add("1-1")
    server.serve("2-1")
    told = node.cli("rescan")
    assert told.returncode == 0 and told.stdout == "labserver: 1 devices\n"
    wait(lambda: node.device("labserver/2-1"))
    assert node.device("labserver/1-1")["stream"] == "direct"
    assert node.vhci.detached == []


def test_after_a_stream_ended_the_device_is_looked_for_and_comes_back(node, server):
    node.serve()
    enumerated(node)
    server.answers["1-1"] = import_reply("1-1", devnum=4)  # it was plugged in anew over there
    node.vhci.devices[1 << 16 | 4] = {}
    node.vhci.end_stream(0)
    wait(lambda: len(node.events(kind="imported", place="labserver/1-1")) == 2)
    wait(lambda: node.vhci.attached[-1][2] == 1 << 16 | 4)  # what was written to `attach` may be in its pipe yet


def test_a_device_that_does_not_come_back_is_looked_for_six_times_at_most(node, server):
    node.serve()
    enumerated(node)
    del server.answers["1-1"]
    asked = len(server.asked)
    node.vhci.end_stream(0)
    wait(lambda: len(server.asked) >= asked + 3)
    assert node.device("labserver/1-1") is None
    assert set(server.asked[asked:]) == {"list"}


def test_a_server_that_keeps_the_connection_open_after_its_list_as_renode_does(node, server):
    server.closes = False
    node.serve()
    node.says("import labserver/1-1", kind="imported")


def test_a_server_that_serves_one_connection_at_a_time_as_renode_does_keeps_what_is_imported(node, server):
    node.serve()
    enumerated(node)
    lists = []
    server._list = lists.append  # takes the connection and says nothing
    told = node.cli("rescan")
    assert told.returncode == 5 and "in time" in told.stdout and lists
    assert node.device("labserver/1-1")["stream"] == "direct"
    assert node.vhci.detached == []


def windows_device(busid, status=0, path=b"USB\\VID_1A86&PID_55D4\\A1"):
    """As usbipd-win describes a device that Windows has disabled: the port is its devnum, it has no configuration."""
    bus, port = map(int, busid.split("-"))
    header = struct.pack(">HHI", 0x0111, 3, status)
    return header + struct.pack(">256s32sIIIHHHBBBBBB", path, busid.encode(), bus, port, 2, 0x1a86, 0x55d4, 0x0443,
                                2, 0, 0, 0, 1, 0)


def test_usbipd_win_takes_its_time_until_windows_lets_go(node, server):
    node.vhci.devices[1 << 16 | 7] = {}
    server.answers = {"1-7": windows_device("1-7")}
    server.stays = {"1-7"}
    server.takes["1-7"] = 4  # seconds; it tries for 10
    node.serve()
    node.says("import labserver/1-7", kind="imported")
    assert server.asked == ["list", "1-7"]  # once


@pytest.mark.parametrize("status, said", [
    (1, "(status 1)"), (2, "(status 2)"), (3, "(status 3)"), (4, "(status 4)"), (5, "(status 5)")])
def test_what_usbipd_win_refuses_is_told_with_its_status(node, server, status, said):
    """It lists what it cannot give: what another has attached, what Windows uses."""
    server.answers = {"1-7": windows_device("1-7")}
    server.refuses["1-7"] = windows_device("1-7", status)[:8]
    node.serve()
    assert "device 1-7" in node.stands("labserver/1-7", said)["why"]
    assert node.vhci.attached == []


def test_renodes_first_device_is_no_usb_place_and_is_said(node, server):
    server.answers["1-0"] = import_reply("1-0", devnum=0)
    node.serve()
    node.says("1-0 (1a86:55d4) is left alone", kind="refused", pi="labserver")
    node.says("import labserver/1-1", kind="imported")


@pytest.mark.parametrize("listed, said", [
    (b"HTTP/1.1 400 Bad Request\r\n", "USB/IP version 0x4854"),
    (b"\x01\x11\x00\x05\x00\x00\x00\x00\xff\xff\xff\xff", "at most 128"),
    (b"\x01\x11\x00\x05\x00\x00\x00\x01\x00\x00\x00\x00", "(status 1)"),
    (b"\x01\x11\x00\x05\x00\x00\x00\x00\x00\x00\x00\x01" + bytes(100), "the answer ends after"),
    (b"", "closed the connection without an answer"),
])
def test_a_list_that_is_none_is_told_and_harms_nobody(node, server, listed, said):
    def answer(stream):
        server.asked.append("list")
        stream.sendall(listed)
        stream.close()
    server._list = answer
    node.serve()
    node.says(said, kind="unlinked", pi="labserver")
    assert node.pi("labserver") is None or not node.pi("labserver")["linked"]


def test_a_server_taken_out_of_host_yaml_is_asked_no_more(node, server):
    node.serve()
    node.says("import labserver/1-1", kind="imported")
    node.config.write_text("node: pve1\n")
    node.process.send_signal(signal.SIGHUP)
    wait(lambda: not node.pi("labserver")["linked"])
    assert "no plain USB/IP servers" in node.cli("rescan").stdout


def test_unplanned_and_planned_vhci_lets_go_first(node, server):
    """Nobody there could say that the stream still flows, and a device_del on a dead one freezes a VM."""
    node.serve()
    node.says("import labserver/1-1", kind="imported")
    node.rules(100, "3-9\n")
    wait(lambda: node.vhci.detached == [0])
