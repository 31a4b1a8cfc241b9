# SPDX-License-Identifier: MIT
"""One QEMU for all tests of longcord-host: a new one each would cost a second a test."""
import pytest
from host_world import Qemu, World, wait


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
