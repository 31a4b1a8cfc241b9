# SPDX-License-Identifier: MIT
"""longcord-host while nothing happens, on a machine that is no Proxmox node and has no Pi: nobody else can have changed
anything, so it seldom looks, and it keeps nothing of what it needed to start. (tests/bench host has the figures.)"""
from host_world import wait
from idle import code_kb, least_wake_ups_a_second
from pairing_world import Node, machines  # noqa: F401 (fixture)

# With /etc/pve it is 2.75: the looks at what another node may have written.
SELDOM = 2


def test_it_seldom_wakes_up_and_gives_back_what_it_needed(machines):  # noqa: F811
    node = Node()
    machines.append(node)
    node.serve()
    pid = node.process.pid
    began = code_kb(pid, "longcord-host")
    wait(lambda: code_kb(pid, "longcord-host") < 0.8 * began, lambda: code_kb(pid, "longcord-host"))
    assert least_wake_ups_a_second(pid) < SELDOM
