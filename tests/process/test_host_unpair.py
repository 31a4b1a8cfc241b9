# SPDX-License-Identifier: MIT
"""unpair lets a Pi's devices go, wherever it was said: its link ends within 5 s, and so do its streams."""
import time

import pytest
from host_world import wait
from played_pi import PlayedPi, UsbipServer, device
from test_host_push import paired

DEVID = 1 << 16 | 3


@pytest.fixture
def linked(idle_world, tmp_path):
    """A Pi with a board that a VM's rules want, imported."""
    server = UsbipServer()
    server.serve("1-1")
    idle_world.vhci.devices[DEVID] = {}
    idle_world.key = paired(idle_world, tmp_path, "workbench")
    idle_world.serve()
    idle_world.rules(100, "workbench\n")
    idle_world.played = PlayedPi(idle_world, "workbench", [device("1-1")], server.port, key=idle_world.key)
    idle_world.says("import workbench/1-1", kind="imported")
    yield idle_world
    idle_world.played.close()
    server.close()


def is_let_go(node, began):
    wait(lambda: node.played.ended, node.events)
    assert time.monotonic() - began < 5
    wait(lambda: node.vhci.detached == [0], node.events)
    last = node.played.answers("error")[-1]
    assert last["final"] is True
    wait(lambda: node.device("workbench/1-1") is None and node.pi("workbench") is None)
    return last["message"]


def test_unpair_ends_the_link_and_takes_the_devices_from_their_vms(linked):
    assert linked.cli("unpair", "workbench").returncode == 0
    began = time.monotonic()  # a program's start is none of it
    assert "unpaired on pve1" in is_let_go(linked, began)


def test_unpair_on_another_node_does_the_same(linked):
    began = time.monotonic()
    (linked.pve / "priv/longcord/pis/workbench").unlink()  # as pmxcfs shows it here
    assert "not paired any more" in is_let_go(linked, began)


def test_the_pis_own_leave_does_the_same(linked):
    began = time.monotonic()
    linked.played.say({"type": "leave"})
    assert "has left" in is_let_go(linked, began)


def test_another_pis_devices_and_link_stay(linked, tmp_path):
    other = PlayedPi(linked, "attic", [device("1-2")], key=paired(linked, tmp_path, "attic"))
    wait(lambda: linked.device("attic/1-2"))
    linked.cli("unpair", "workbench")
    is_let_go(linked, time.monotonic())
    assert linked.pi("attic")["linked"] and linked.device("attic/1-2") and not other.ended
    other.close()
