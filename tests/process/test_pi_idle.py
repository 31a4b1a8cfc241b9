# SPDX-License-Identifier: MIT
"""longcord-pi while nothing happens: its threads wake up for the heartbeat of its links, and for nothing else.
(tests/bench pi has its memory, and the same over a longer while.)"""
from idle import add_bound_boards, code_kb, least_wake_ups_a_second
from pairing_world import Pi, machines, node, pi  # noqa: F401 (fixtures)
from host_world import wait

# A ping is read by the SSH thread, taken and answered by the loop, and the answer sent by the SSH thread: three. As
# many again where one of them is a little early.
A_HEARTBEAT = 6


def test_without_a_link_nothing_wakes_it(pi):
    wait(lambda: pi.ask("status")["usbip"]["listening"])
    assert least_wake_ups_a_second(pi.process.pid) < 1


def test_with_a_link_and_eight_exports_only_the_heartbeat_does(node, machines):
    exporting = Pi()
    machines.append(exporting)
    add_bound_boards(exporting.root / "sys", 8)
    exporting.serve()
    exporting.join(node.pair("workbench"))
    exporting.wait_links("pve1")
    wait(lambda: sum(device["exported"] for device in exporting.ask("devices")["devices"]) == 8)
    assert least_wake_ups_a_second(exporting.process.pid) <= A_HEARTBEAT


def test_what_a_request_needed_is_given_back_when_nothing_more_comes(pi):
    def code():
        return code_kb(pi.process.pid, "longcord-pi")
    began = code()
    wait(lambda: code() < 0.8 * began, code)  # what the start needed
    calm = code()
    for verb in ("status", "devices", "events", "metrics"):
        pi.ask(verb)
    needed = code()  # how much of the whole that is depends on the build: sanitizers touch far more
    assert needed > calm
    wait(lambda: code() - calm < (needed - calm) / 2, code)
