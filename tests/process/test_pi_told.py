# SPDX-License-Identifier: MIT
"""What a Pi knows of its devices' fate: each node says so over its link. Real longcord-host, longcord-pi and sshd."""
from host_world import wait
from idle import add_bound_boards
from pairing_world import Pi, machines, node, pi  # noqa: F401 (fixtures)


def test_the_pi_knows_why_nobody_has_its_device_and_status_shows_it(node, machines):
    exporting = Pi()
    machines.append(exporting)
    add_bound_boards(exporting.root / "sys", 2)
    exporting.serve()
    alone = exporting.ask("devices")["devices"]
    assert all(device["state"] is None and device["node"] is None for device in alone)
    exporting.join(node.pair("workbench"))

    def told():
        devices = exporting.ask("devices")["devices"]
        return devices if all(device["state"] for device in devices) else None
    devices = wait(told, lambda: exporting.ask("devices"))
    assert [(device["place"], device["state"], device["node"], device["vmid"], device["why"]) for device in devices] == [
        ("1-1", "unclaimed", "pve1", None, "no rule wants it"), ("1-2", "unclaimed", "pve1", None, "no rule wants it")]
    shown = exporting.cli("status").stdout
    assert "no rule wants it" in shown and "pve1" in shown
    # A node that is not linked says nothing: what it said counts no more.
    node.stop_sshd()
    wait(lambda: all(device["state"] is None for device in exporting.ask("devices")["devices"]))
