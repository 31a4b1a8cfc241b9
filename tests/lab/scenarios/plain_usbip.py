"""Stock USB/IP tools against the Pi's own server: served where pi.yaml allows the address, closed elsewhere;
and a port that somebody else has."""

import pytest

from lab.gadget import Gadget
from lab.longcord import SERVE_THE_LAB

BOARD = Gadget(socket=0)


def usbip_list(lab):
    return lab.node.run("usbip list -r 10.77.0.2 2>&1", check=False).stdout


def test_usbip_list_and_attach_from_an_allowed_host(longcord, lab, pi_settings):
    busid = lab.pi.place(BOARD).split("/")[1]
    lab.pi.plug(BOARD)
    lab.wait(lambda: longcord.pi_device(busid)["exported"], what="the board to be exported")
    assert f"{busid}:" not in usbip_list(lab)

    pi_settings(SERVE_THE_LAB)
    lab.wait(lambda: f"{busid}:" in usbip_list(lab), what="usbip list to show the board")
    lab.node.run("modprobe vhci-hcd")
    lab.node.run(f"usbip attach -r 10.77.0.2 -b {busid}")
    stream = lab.wait(lambda: longcord.pi_device(busid)["stream"], what="the Pi to show the stream")
    assert (stream["engine"], stream["node"]) == ("plain", "10.77.0.1")
    assert f"{busid}:" not in usbip_list(lab)
    port = lab.wait(lambda: lab.node.run("usbip port | sed -n 's/^Port \\([0-9]*\\):.*/\\1/p'").split(),
                    what="usbip port to show it")[0]
    lab.node.run(f"usbip detach -p {port}")
    lab.wait(lambda: longcord.pi_device(busid)["stream"] is None, what="the Pi to see the end of the stream")
    lab.wait(lambda: f"{busid}:" in usbip_list(lab), what="the board to be free again")


@pytest.mark.more
def test_a_port_that_stock_usbipd_has_is_said_and_taken_over(longcord, lab):
    lab.pi.run("systemctl stop longcord-pi")
    lab.pi.start_usbipd()
    lab.pi.run("systemctl start longcord-pi")
    try:
        problems = lab.wait(lambda: longcord.cli("status", machine=lab.pi)["problems"], what="a problem")
        assert any("3240 is taken by usbipd (pid " in problem for problem in problems), problems
    finally:
        lab.pi.run("systemctl stop lab-usbipd")
    lab.wait(lambda: longcord.cli("status", machine=lab.pi)["usbip"]["listening"], 60, "the port to be served")
