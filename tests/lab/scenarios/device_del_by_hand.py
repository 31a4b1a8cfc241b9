"""Somebody types device_del in the VM's monitor: plugged again once; again and again, it is held off."""

from lab.gadget import Gadget

BOARD = Gadget(socket=0)


def test_once_is_mended_twice_is_respected(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    longcord.wait_state(place, "plugged")
    name = f"usbhost-{place.replace('/', '-')}"
    heard = vm.guest.mark()
    vm.hmp(f"device_del {name}")
    lab.wait(lambda: vm.guest.said("LAB tty- ttyACM0", heard) and vm.guest.said("LAB tty+ ttyACM0", heard),
             timeout=60, what="the guest to lose the tty and have it again")
    longcord.wait_state(place, "plugged")
    vm.hmp(f"device_del {name}")
    longcord.wait_state(place, "held_off")
    vm.guest.wait_no_tty("ttyACM0")

    lab.pi.replug(BOARD)  # a person has been at it: that counts for more than what was typed
    vm.guest.wait_tty("ttyACM0")
