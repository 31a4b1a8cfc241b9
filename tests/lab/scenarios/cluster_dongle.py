"""A node that also exports: its own dongle follows the VM to the other node, and home again."""

import pytest

from lab import install, paths
from lab.longcord import pi_yaml


@pytest.fixture
def dongles(longcord, cluster, lab):
    """The first node is the Pi "dongles" too, linked with the second and with itself."""
    install.add_pi(lab, lab.node, "dongles", paths.STAGE / "pi", pi_yaml(*lab.nodes(), name="dongles"))
    try:
        longcord.wait_linked("dongles")
        cluster.wait_linked("dongles")
        yield
    finally:
        install.remove_pi(lab.node, "dongles", lab)


@pytest.mark.more
def test_the_nodes_own_dongle_follows_the_vm(dongles, longcord, cluster, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("dongles")
    lab.node.plug_local("dongle", "usb-serial", port="1.2.1")
    port = vm.guest.wait_tty("ttyUSB0", "0403:6001")["port"]
    place = next(d["place"] for d in longcord.cli("devices")["devices"] if d["place"].startswith("dongles/"))
    longcord.wait_state(place, "plugged")
    heard = vm.guest.mark()
    vm.migrate(lab.node2)
    lab.wait(lambda: vm.guest.said("LAB tty+ ttyUSB0", heard), 120, "the guest on node2 to have it")
    cluster.wait_state(place, "plugged")
    assert vm.guest.sees("tty")["ttyUSB0"]["port"] == port
    heard = vm.guest.mark()
    vm.migrate(lab.node)
    lab.wait(lambda: vm.guest.said("LAB tty+ ttyUSB0", heard), 120, "the guest at home to have it")
    longcord.wait_state(place, "plugged")
