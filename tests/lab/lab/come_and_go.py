# SPDX-License-Identifier: MIT
"""One measured plug and unplug, of one board or of several at once, and what its marks say."""

from lab.wait import Timeout

# What a way has done by when, in order, where it can be told: (what, source, pattern).
IMPORTED = [("attached to vhci", "node kernel", r"^vhci_hcd.*devid\("),
            ("enumerated by the node", "node kernel", r"^usb \S+: New USB device found")]
STEPS = {
    "floor": [("bound on the Pi", "pi floor", "^bound"), ("told the node", "node floor", "^told"), *IMPORTED,
              ("authorised", "node floor", "^authorised"), ("attached in QEMU", "node qemu", "^usb_port_attach"),
              ("said by the program", "node floor", "^plugged")],
    "longcord": [("seen by longcord-pi", "pi events", "^came"), ("bound on the Pi", "pi events", "^exported"),
                 ("told the node", "node events", "^added"), ("stream handed to the Pi's kernel", "pi events", "^served"),
                 *IMPORTED,
                 ("authorised", "node events", "^authorised"), ("attached in QEMU", "node qemu", "^usb_port_attach"),
                 ("said by the program", "node events", "^plugged")],
    "scripted": [*IMPORTED, ("attached in QEMU", "node qemu", "^usb_port_attach")],
}


def connect(lab, boards):
    """Of gadgets that are made already (see `make`): nothing but the plug itself."""
    lab.pi.run("; ".join(f"echo dummy_udc.{board.socket} >/sys/kernel/config/usb_gadget/{board.name}/UDC" for board in boards))


def disconnect(lab, boards):
    lab.pi.run("; ".join(f"echo >/sys/kernel/config/usb_gadget/{board.name}/UDC" for board in boards))


def make(lab, boards):
    """All but the plug."""
    for board in boards:
        lab.pi.run(board.plug_script().rpartition("echo dummy_udc")[0])


def ttys(boards):
    return [f"ttyACM{number}" for number in range(len(boards))]


def wait_in_guest(vm, boards, timeout=120):
    for tty in ttys(boards):
        vm.guest.wait_tty(tty, timeout=timeout)


def wait_gone(lab, vm):
    """From the guest, from QEMU, and from the node's vhci."""
    lab.wait(lambda: not vm.guest.sees("tty"), 60, "the guest to have no tty")
    lab.wait(lambda: not vm.plugged(), 60, "QEMU to have no device")
    used = "grep -hE '^(hs|ss)' /sys/devices/platform/vhci_hcd.0/status* | grep -vE ' 004 | 0{16} ' || true"  # free, or not ready
    lab.wait(lambda: not lab.node.run(used), 60, "vhci to be empty")


def come_and_go(observer, way, boards):
    lab, vm = way.lab, way.vm
    places = [lab.pi.busid(board) for board in boards]
    observer.begin()
    connect(lab, boards)
    try:
        wait_in_guest(vm, boards)
        way.in_place(places)
        disconnect(lab, boards)
        wait_gone(lab, vm)
    except Timeout as timeout:
        raise Timeout(f"{way.name}: {timeout}; {observer.end(way.longcord).story()}") from timeout
    marks = observer.end(way.longcord)
    return {"way": way.name, "boards": len(boards), **times(marks, places), "steps": steps(marks, way, places),
            "failed": len(marks.all("node events", "^failed")), "unsure_ms": observer.unsure_ms()}


def times(marks, places):
    """In ms: since the Pi's kernel said that the first of them was there, and since it said that the first was gone."""
    came = [marks.first("pi kernel", f"^usb {busid}: New USB device found") for busid in places]
    went = [marks.first("pi kernel", rf"^\S+ {busid}: USB disconnect", after=min(came)) for busid in places]
    there = [when for when in marks.all("node qemu", "^usb_port_attach", after=min(came)) if when < min(went)]
    return {"last_came_ms": since(min(came), max(came)), "attached_ms": since(min(came), max(there)), "attaches": len(there),
            "tty_ms": since(min(came), max(marks.all("node guest", r"LAB tty\+", min(came)))),
            "detached_ms": since(min(went), max(marks.all("node qemu", "^usb_port_detach", min(came)))),
            "tty_gone_ms": since(min(went), max(marks.all("node guest", "LAB tty-", min(came))))}


def steps(marks, way, places):
    if len(places) > 1:
        return {}
    came = marks.first("pi kernel", f"^usb {places[0]}: New USB device found")
    return {what: since(came, marks.first(source, pattern, came)) for what, source, pattern in STEPS[way.name]}


def since(begin, end):
    return round((end - begin) * 1000, 1)
