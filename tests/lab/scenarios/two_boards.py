"""Two boards that are alike to the last digit, told apart by where they are plugged in."""

from lab.gadget import Gadget

LEFT = Gadget(name="left", serial="0001", socket=0)
RIGHT = Gadget(name="right", serial="0001", socket=1)


def test_each_goes_to_the_vm_of_its_place(longcord, lab):
    first, second = lab.node.vm(100), lab.node.vm(101)
    first.ensure_running()
    second.ensure_running()
    # Written first: a plug must find both rules, however the two arrive.
    first.write_rules(lab.pi.place(LEFT))
    second.write_rules(lab.pi.place(RIGHT))
    lab.pi.plug(RIGHT)
    lab.pi.plug(LEFT)
    first.guest.wait_tty("ttyACM0")
    second.guest.wait_tty("ttyACM0")
    assert lab.echo_through(LEFT, first, data=b"left\r\n") == b"left\r\n"
    assert lab.echo_through(RIGHT, second, data=b"right\r\n") == b"right\r\n"
    assert len(first.plugged()) == len(second.plugged()) == 1
