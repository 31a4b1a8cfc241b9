# SPDX-License-Identifier: MIT
"""Measured: a VM starts and its boards are there; the network, the board or the Pi comes back, and so does the device.
Longcord's services run all the time. Times are in ms, on this machine's clock."""

import time

from lab.come_and_go import since, wait_in_guest

REENUMERATE = """gadget=/sys/kernel/config/usb_gadget/{board.name}
echo >$gadget/UDC
echo dummy_udc.{board.socket} >$gadget/UDC"""


def vm_start(observer, longcord, boards):
    """The boards are plugged into the Pi and exported; the VM is stopped. From QEMU's `running`."""
    lab, vm = longcord.lab, observer.vm
    vm.stop()
    for board in boards:
        longcord.wait_state(lab.pi.place(board), "unclaimed")
    observer.begin()
    vm.start(wait_ready=False)
    observer.listen()
    wait_in_guest(vm, boards, timeout=240)
    for board in boards:
        longcord.wait_state(lab.pi.place(board), "plugged")
    marks = observer.end(longcord)
    running = marks.first("node qemu", "vm_state_notify running 1 ")
    attached = marks.all("node qemu", "^usb_port_attach", running)
    return {"boards": len(boards), "first_ms": since(running, min(attached)), "last_ms": since(running, max(attached)),
            "attaches": len(attached), "failed": len(marks.all("node events", "^failed", running)),
            "tty_ms": since(running, max(marks.all("node guest", r"LAB tty\+", running))),
            "first_import_ms": since(running, marks.first("node events", "^imported", running - 60)),
            "unsure_ms": observer.unsure_ms()}


def cable_back(observer, longcord, board):
    """The cable was out for as long as it takes until the guest has lost the board and the node its Pi."""
    lab, vm = longcord.lab, observer.vm
    lab.cut_cable()
    vm.guest.wait_no_tty()
    lab.wait(lambda: not longcord.pis()["workbench"]["linked"], what="the node to miss its Pi")
    observer.begin()
    lab.restore_cable()
    back = time.monotonic()
    return came_back(observer, longcord, board, back, linked="^linked")


def reenumeration(observer, longcord, board):
    """Out and in again at once, as a board does that resets. From the end of what was before."""
    observer.begin()
    heard = observer.vm.guest.mark()
    longcord.lab.pi.run(REENUMERATE.format(board=board))
    longcord.lab.wait(lambda: observer.vm.guest.said("LAB tty+", heard), 120, "the guest to have it again")
    busid = longcord.lab.pi.busid(board)
    return came_back(observer, longcord, board, lambda marks: marks.first("pi kernel", rf"^\S+ {busid}: USB disconnect"),
                     found=f"^usb {busid}: New USB device found")


def pi_reboot(observer, longcord, board):
    """From the command to reboot."""
    lab = longcord.lab
    observer.begin()
    heard = observer.vm.guest.mark()
    begun = time.monotonic()
    lab.pi.reboot()
    lab.wait(lambda: observer.vm.guest.said("LAB tty+", heard), 240, "the guest to have it again")
    observer.clocks["pi"].start()
    observer.since["pi"] = observer.clocks["pi"].compared[0][0] - int((time.monotonic() - begun) * 1e9)
    busid = lab.pi.busid(board)
    return came_back(observer, longcord, board, begun, linked="^linked", found=f"^usb {busid}: New USB device found")


def came_back(observer, longcord, board, begun, linked=None, found=None):
    """`begun`: seconds, or where they stand in the marks."""
    wait_in_guest(observer.vm, [board], timeout=240)
    longcord.wait_state(longcord.lab.pi.place(board), "plugged")
    marks = observer.end(longcord)
    if callable(begun):
        begun = begun(marks)
    row = {"attached_ms": since(begun, marks.all("node qemu", "^usb_port_attach", begun)[-1]),
           "tty_ms": since(begun, marks.all("node guest", r"LAB tty\+", begun)[-1]), "unsure_ms": observer.unsure_ms()}
    if linked:
        row["linked_ms"] = since(begun, marks.first("node events", linked, begun))
    if found:
        row["found_ms"] = since(begun, marks.all("pi kernel", found, begun)[-1])
    return row
