#!/usr/bin/python3
"""The demonstration: a board plugged into the Pi becomes the guest's /dev/ttyACM0, and leaves it again.

Everything it claims is somebody else's word: the guest's console, QEMU's `info usb`, bytes that came back.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import bench, paths  # noqa: E402
from lab.gadget import Gadget  # noqa: E402
from lab.longcord import HOST_YAML, Longcord, pi_yaml  # noqa: E402

BOARD = Gadget(vendor=0x1A86, product=0x55D4, serial="0001", text="USB Single Serial", socket=0)


def tell(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def show(text):
    print("".join(f"    {line}\n" for line in text.splitlines()), end="", flush=True)


def show_steps(events):
    """What Longcord did, each step with the time since the first and the time it took itself."""
    start = None
    for event in events:
        hours, minutes, seconds = event["time"].rstrip("Z").split("T")[1].split(":")
        moment = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        start = moment if start is None else start
        took = f"{event['took_ms']:>5} ms" if event["took_ms"] is not None else " " * 8
        show(f"+{moment - start:7.3f} s  {took}  {event['kind']:<12} {event['message']}")


def main():
    lab = bench.Lab.running()
    kept = lab is not None
    lab = lab or bench.Lab.boot()
    try:
        demonstrate(lab)
    finally:
        lab.save() if kept else lab.destroy()


def demonstrate(lab):
    lab.reset()
    lab.install(paths.STAGE / "host", paths.STAGE / "pi", host_yaml=HOST_YAML, pi_yaml=pi_yaml(*lab.nodes()))
    longcord = Longcord(lab)
    longcord.wait_linked()
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench 1a86:55d4")
    tell("The node: a Pi is linked, VM 100 has one rule")
    show(lab.node.run("cat /etc/pve/qemu-server/100.usb.conf; longcord status; true"))

    before = longcord.last_event()
    heard = vm.guest.mark()
    tell("A board is plugged into the Pi")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0", "1a86:55d4", serial="0001")
    show("\n".join(line for line in vm.guest.log(heard) if "LAB tty" in line))
    show(vm.hmp("info usb"))
    longcord.wait_state(place, "plugged")

    tell("Bytes from the board to the guest and back")
    sent = b"hello from the Pi\r\n" + bytes(range(256))
    back = lab.echo_through(BOARD, vm, "ttyACM0", sent)
    assert back == sent, f"sent {sent!r}, got {back!r}"
    show(f"{len(sent)} bytes each way, all values, all equal")

    tell("The board is pulled")
    lab.pi.unplug(BOARD)
    vm.guest.wait_no_tty("ttyACM0")
    lab.wait(lambda: not vm.plugged(), what="QEMU to have nothing of ours")
    show("\n".join(line for line in vm.guest.log(heard) if "LAB tty-" in line))

    tell("What Longcord did (longcord events)")
    show_steps(longcord.events(since=before))
    tell("All of it was seen.")


if __name__ == "__main__":
    main()
