# SPDX-License-Identifier: MIT
"""What tests of several files begin with. One QEMU serves all tests of longcord-host: a new one each would cost a
second a test."""
import pytest
from host_world import Qemu, World, wait
from played_pi import UsbipServer
from serial_port import Server


@pytest.fixture(scope="session")
def qemu():
    vm = Qemu()
    yield vm
    still_there = vm.alive()
    vm.close()
    assert still_there


@pytest.fixture
def idle_world(qemu):
    """longcord-host is not started in it."""
    node = World(qemu)
    yield node
    node.close()


@pytest.fixture
def world(idle_world):
    """longcord-host runs; a board is in port 3-4, which no rule wants; at the end the same process
    must still answer."""
    idle_world.local.plug("3-4", devnum=7)
    idle_world.serve()
    wait(lambda: idle_world.device("3-4"))
    first = idle_world.process
    yield idle_world
    if idle_world.process is first:
        assert idle_world.alive(), idle_world.log.read_text()
        assert idle_world.device("3-4")


@pytest.fixture
def server():
    """A stock usbipd with one board; files with servers of another kind have their own."""
    usbip = UsbipServer(plain=True)
    usbip.serve("1-1")
    yield usbip
    usbip.close()


@pytest.fixture
def serve(tmp_path):
    """`longcord serial serve` with these options, as often as asked."""
    servers = []

    def start(*options, **more):
        servers.append(Server(tmp_path, *options, **more))
        return servers[-1]
    yield start
    for server in servers:
        server.close()
