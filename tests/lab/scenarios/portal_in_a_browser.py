"""The portal of a Pi and of a node in Debian's chromium: real boards come and go while one looks, a board's mode is
changed there, and a Pi that nobody knows is paired there."""

import pytest

from lab import install, paths
from lab.browser import Browser
from lab.gadget import Gadget
from scenarios.no_frozen_vm import host_yaml
from scenarios.pairing import stranger  # noqa: F401

BOARD = Gadget(vendor=0x1A86, product=0x55D4, serial="0001", socket=0)


@pytest.fixture
def portal(longcord):
    """Brings it to a machine, as its package would, and opens it there with a code of that machine."""
    opened = []

    def on(machine, role="pi"):
        install.bring(machine, paths.STAGE / "portal", ["longcord-portal"])
        machine.put(f"role: {role}\n", "/etc/longcord/portal.yaml")
        install.run_services(machine, ["longcord-portal"])
        browser = Browser(machine)
        opened.append((machine, browser))
        browser.set_up(code=machine.run("longcord portal-code 2>/dev/null").strip())
        return browser
    yield on
    for machine, browser in opened:
        machine.run("systemctl disable --now longcord-portal; rm -rf /var/lib/longcord-portal")
        browser.close()


def test_a_board_comes_changes_its_mode_and_goes_while_one_looks(portal, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench 1a86:55d4")
    browser = portal(lab.pi)
    place = lab.pi.plug(BOARD).split("/")[1]
    browser.see(place=place, text="VM 100")
    vm.guest.wait_tty("ttyACM0")
    browser.picture(name="lab-plugged")

    browser.set_mode(place=place, mode="serial")
    vm.guest.wait_no_tty("ttyACM0")
    browser.see(place=place, text="served on TCP port")
    address = browser.address(place=place)["address"]
    assert address.startswith("rfc2217://") and address.endswith("?ign_set_control"), address
    browser.picture(name="lab-serial")
    browser.set_mode(place=place, mode="default")
    vm.guest.wait_tty("ttyACM0")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"

    browser.press(place=place, name=f"Disconnect {place}")
    vm.guest.wait_no_tty("ttyACM0")
    browser.see(place=place, text="disconnected by hand")
    browser.press(place=place, name=f"Connect {place} again")
    vm.guest.wait_tty("ttyACM0")
    lab.pi.unplug(BOARD)
    browser.see_gone(place=place)


def test_a_pi_that_nobody_knows_is_paired_in_its_portal(stranger, portal, lab):  # noqa: F811
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench 1a86:55d4")
    browser = portal(lab.pi)
    place = lab.pi.plug(BOARD).split("/")[1]
    browser.see(place=place, text="1a86:55d4")
    paired = browser.pair(token="longcord join " + stranger.cli("pair", "workbench")["token"])
    assert "workbench" in paired["outcome"] and lab.node.role in paired["outcome"], paired
    assert browser.nodes()["nodes"] == [lab.node.role]
    vm.guest.wait_tty("ttyACM0")
    browser.see(place=place, text="VM 100")
    browser.picture(name="lab-paired")


@pytest.mark.more
def test_a_node_that_lets_itself_be_found_is_shown_with_what_to_type_there(portal, longcord, lab):
    interface = lab.node.run("ip -o -4 addr show to 10.77.0.1").split()[1]
    with host_yaml(longcord, f"discovery: true\ndiscovery_interfaces: [ {interface} ]\n"):
        found = portal(lab.pi).find(node=lab.node.role)
    assert found == {"text": "node at 10.77.0.1, port 22", "command": "longcord pair workbench"}


@pytest.mark.more
def test_the_portal_of_a_node_shows_pis_vms_and_which_rule_decides(portal, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench 1a86:55d4")
    browser = portal(lab.node, role="host")
    place = lab.pi.plug(BOARD)
    browser.see(place=place, text="VM 100")
    browser.press(place=place, name=f"Explain {place}")
    browser.see(place=place, text="workbench 1a86:55d4")
    browser.picture(name="lab-node")
    lab.pi.unplug(BOARD)
    browser.see_gone(place=place)
