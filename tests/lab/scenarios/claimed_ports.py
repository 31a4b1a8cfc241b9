"""A board that comes again meets no driver of the Pi: its port is claimed while it is empty. What is no such board
is given back to its drivers; without the service nothing is claimed. Watched: the Pi's own kernel events."""

import contextlib

import pytest

from lab.gadget import Gadget

BOARD = Gadget(socket=0)
KEYBOARD = Gadget(name="keys", kind="hid", vendor=0x05AC, product=0x0220, serial="K1", text="Keyboard", socket=0)

# Claims port 1 of the root hub with this bus number, for a moment: 16 (EBUSY) where somebody has it.
TRY_CLAIM = """
import errno, fcntl, os, struct, sys
bus = int(sys.argv[1])
number = int(open(f"/sys/bus/usb/devices/usb{bus}/devnum").read())
hub = os.open(f"/dev/bus/usb/{bus:03}/{number:03}", os.O_RDWR)
try:
    fcntl.ioctl(hub, 0x80045518, struct.pack("I", 1))  # USBDEVFS_CLAIM_PORT
except OSError as error:
    print(error.errno)
else:
    print(0)
"""


def is_claimed(pi, busid):
    return pi.run(["python3", "-c", TRY_CLAIM, busid.split("-")[0]]).strip() == "16"


@contextlib.contextmanager
def drivers_of(pi, busid):
    """Yields a list; afterwards it has the drivers that met the device at `busid` or an interface of it."""
    met = []
    pi.run("rm -f /tmp/met; systemd-run --quiet --collect --unit=lab-met -p StandardOutput=file:/tmp/met "
           "udevadm monitor --kernel --property")
    pi.run("timeout 30 sh -c 'until grep -q KERNEL /tmp/met; do sleep 0.1; done'")
    try:
        yield met
    finally:
        pi.run("udevadm settle; systemctl stop lab-met")
    for event in pi.read("/tmp/met").split("\n\n"):
        values = dict(line.split("=", 1) for line in event.splitlines() if "=" in line)
        below = f"/{busid}" in values.get("DEVPATH", "")
        if below and values.get("ACTION") == "bind" and "DRIVER" in values:
            met.append(values["DRIVER"])
        if below and values.get("SUBSYSTEM") == "tty":
            met.append("a tty: " + values["DEVPATH"])


def exported(longcord, busid):
    try:
        return longcord.pi_device(busid)["exported"]
    except LookupError:
        return False


def come_and_go(longcord, lab):
    """The board is exported once and unplugged; its port is claimed then."""
    busid = lab.pi.busid(BOARD)
    lab.pi.plug(BOARD)
    lab.wait(lambda: exported(longcord, busid), what="the board to be exported")
    lab.pi.unplug(BOARD)
    lab.wait(lambda: is_claimed(lab.pi, busid), what="its port to be claimed")
    return busid


def test_a_board_that_comes_again_meets_no_driver_of_the_pi(longcord, lab):
    busid = lab.pi.busid(BOARD)
    lab.pi.run("modprobe cdc_acm")  # where it has to be loaded first, the board is gone before
    lab.pi.run("systemctl restart longcord-pi")  # it knows of no exports then
    lab.wait(lambda: not is_claimed(lab.pi, busid), what="the port not to be claimed")
    with drivers_of(lab.pi, busid) as first:
        come_and_go(longcord, lab)
    assert "cdc_acm" in first  # this is what is spared below
    with drivers_of(lab.pi, busid) as again:
        lab.pi.plug(BOARD)
        lab.wait(lambda: exported(longcord, busid), what="the board to be exported")
    assert set(again) <= {"usb", "usbip-host"} and "usbip-host" in again, again


@pytest.mark.more
def test_it_works_in_the_vm_and_its_configuration_brings_no_driver_either(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    busid = come_and_go(longcord, lab)
    with drivers_of(lab.pi, busid) as met:
        lab.pi.plug(BOARD)
        vm.guest.wait_tty("ttyACM0")
        assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    assert "cdc_acm" not in met and not [word for word in met if "tty" in word], met


@pytest.mark.more
def test_another_kind_of_device_at_that_port_is_the_pis_as_ever(longcord, lab):
    busid = come_and_go(longcord, lab)
    lab.pi.plug(KEYBOARD)
    lab.wait(lambda: lab.pi.run(f"readlink /sys/bus/usb/devices/{busid}:1.0/driver", check=False).stdout.endswith("usbhid\n"),
             what="the keyboard to have its driver")
    assert not exported(longcord, busid)
    assert not is_claimed(lab.pi, busid)


def test_a_killed_service_keeps_its_claims_and_a_stopped_one_has_none(longcord, lab):
    busid = come_and_go(longcord, lab)
    late = "/run/systemd/system/longcord-pi.service.d/late.conf"  # so that the plug is well before the next start
    lab.pi.run(f"mkdir -p $(dirname {late}); printf '[Service]\\nRestartSec=15\\n' >{late}; systemctl daemon-reload")
    try:
        with drivers_of(lab.pi, busid) as met:
            lab.pi.run("systemctl kill -s KILL longcord-pi")
            lab.pi.plug(BOARD)
            lab.wait(lambda: exported(longcord, busid), 120, "the board to be exported by the next service")
    finally:
        lab.pi.run(f"rm {late}; systemctl daemon-reload")
    assert "cdc_acm" not in met, met
    lab.pi.unplug(BOARD)
    lab.wait(lambda: is_claimed(lab.pi, busid), what="its port to be claimed")
    lab.pi.run("systemctl stop longcord-pi")
    try:
        lab.wait(lambda: not is_claimed(lab.pi, busid), what="the claim to end with the service")
        lab.pi.plug(BOARD)
        lab.wait(lambda: lab.pi.run(f"readlink /sys/bus/usb/devices/{busid}:1.0/driver", check=False).stdout.endswith("cdc_acm\n"),
                 what="the board to have its own driver")
    finally:
        lab.pi.run("systemctl start longcord-pi")
    lab.wait(lambda: exported(longcord, busid), what="the board to be exported")
