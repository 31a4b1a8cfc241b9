# SPDX-License-Identifier: MIT
"""What the removal of the packages does first: `longcord-host --give-back` and `longcord-pi --give-back`. QEMU is
real; /sys and /etc/pve are folders."""
import os
import shutil
import socket
import subprocess

import pytest
from host_world import binary
from played_pi import PlayedPi, UsbipServer, device

DEVID = 1 << 16 | 3


def give_back(world, program="longcord-host"):
    return subprocess.run([binary(program), "--give-back"], env={**os.environ, "LONGCORD_ROOT": str(world)},
                          capture_output=True, text=True, timeout=120)


@pytest.fixture
def stopped(world):
    """The service was stopped while a board of the Pi "workbench" was on vhci port 0."""
    server = UsbipServer()
    server.serve("1-1.2")
    world.vhci.devices[DEVID] = {}
    world.rules(100, "workbench/1-1.2\n")
    pi = PlayedPi(world, "workbench", [device("1-1.2")], server.port)
    world.stands("workbench/1-1.2", "QEMU says")
    assert world.stop() == 0
    assert world.vhci.detached == []
    yield world
    pi.close()
    server.close()


def test_imports_are_detached_and_vhci_is_as_it_was(stopped):
    done = give_back(stopped.root)
    assert done.returncode == 0, done.stderr
    assert stopped.vhci.detached == [0]
    assert not list((stopped.root / "run/longcord/vhci").iterdir())
    for bus in (5, 6):
        hub = stopped.vhci.hub(bus)
        assert (hub / "authorized_default").read_text() == "1\n"
        assert (hub / "interface_authorized_default").read_text() == "1\n"
        assert (hub / f"{bus}-0:1.0/usb{bus}-port8/quirks").read_text() == "0\n"
    assert "workbench/1-1.2" in done.stderr and "everything is given back" in done.stderr
    assert stopped.rules_file(100).exists()


def test_what_somebody_else_attached_stays(stopped):
    stopped.vhci.attach_by_hand(3, 5 << 16 | 9)
    done = give_back(stopped.root)
    assert done.returncode == 0, done.stderr
    assert stopped.vhci.detached == [0] and 3 in stopped.vhci.used


def test_beside_the_running_service_it_does_nothing(world):
    done = give_back(world.root)
    assert done.returncode == 1 and "systemctl stop longcord-host" in done.stderr
    assert world.alive()


def test_settings_with_an_error_are_no_reason_to_keep_anything(stopped):
    stopped.config.write_text("nonsense: [\n")
    done = give_back(stopped.root)
    assert done.returncode == 0 and stopped.vhci.detached == [0], done.stderr
    assert "host.yaml" in done.stderr


def test_with_etc_pve_away_everything_is_given_back_too(stopped):
    shutil.rmtree(stopped.pve)
    stopped.pve.mkdir()
    done = give_back(stopped.root)
    assert done.returncode == 0 and stopped.vhci.detached == [0], done.stderr


def test_while_etc_pve_cannot_be_read_nobody_knows_locks_and_imports_are_detached_at_the_limit(stopped):
    (stopped.pve / "qemu-server").unlink()
    (stopped.pve / "qemu-server").symlink_to("qemu-server")  # ELOOP: neither there nor away
    done = give_back(stopped.root)
    assert done.returncode == 1 and stopped.vhci.detached == [0], done.stderr
    assert "regardless" in done.stderr and "could not all be read" in done.stderr


def test_a_vm_that_does_not_answer_is_named(stopped, qemu):
    with socket.socket(socket.AF_UNIX) as somebody:
        somebody.connect(str(qemu.run / "100.qmp"))  # QEMU speaks to one at a time
        somebody.recv(1)
        done = give_back(stopped.root)
    assert done.returncode == 1 and stopped.vhci.detached == [0], done.stderr
    assert "VM 100 does not answer" in done.stderr


# --- the Pi's side

@pytest.fixture
def bound(tmp_path):
    """A Pi whose device 1-1 is bound to usbip-host; files of the driver keep what was written to them last."""
    driver = tmp_path / "sys/bus/usb/drivers/usbip-host"
    folder = tmp_path / "sys/bus/usb/devices/1-1"
    folder.mkdir(parents=True)
    driver.mkdir(parents=True)
    for name in ("match_busid", "bind", "unbind", "rebind"):
        (driver / name).write_text("")
    (tmp_path / "sys/bus/usb/drivers_probe").write_text("")
    (folder / "driver").symlink_to(driver)
    (driver / "1-1").symlink_to(folder)
    return tmp_path


def test_exported_devices_go_back_to_the_pi(bound):
    done = give_back(bound, "longcord-pi")
    driver = bound / "sys/bus/usb/drivers/usbip-host"
    assert done.returncode == 0, done.stderr
    assert (driver / "unbind").read_text() == "1-1"
    assert (driver / "match_busid").read_text() == "del 1-1"
    assert (driver / "rebind").read_text() == "1-1"
    assert "1-1: given back to this machine" in done.stderr


def test_a_device_that_would_not_go_is_named(bound):
    driver = bound / "sys/bus/usb/drivers/usbip-host"
    (driver / "unbind").unlink()
    (driver / "unbind").symlink_to("/dev/full")
    done = give_back(bound, "longcord-pi")
    assert done.returncode == 1 and "1-1: not given back" in done.stderr


def test_a_pi_without_the_kernel_module_has_nothing_to_give_back(tmp_path):
    done = give_back(tmp_path, "longcord-pi")
    assert done.returncode == 0, done.stderr
