"""What QEMU and Proxmox do to a VM while a board of the node is its own: crash, backup, migration target, locks.
None of these VMs has the hookscript: it makes Longcord faster, and nothing depends on it."""

import pytest

PLACE = "1-1.2.1"
ID = "usbhost1-1.2.1"


@pytest.fixture
def vm(longcord, lab):
    """VM 100 runs, and wants the node's board wherever the lab plugs it."""
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules(PLACE)
    yield vm
    vm.configure()  # no lock is left behind, and no pause
    if vm.running():
        vm.qmp("cont")


def plug(lab):
    lab.node.plug_local("board", "usb-serial", port="1.2.1")


def test_a_vm_whose_qemu_was_killed_has_its_board_after_the_next_start(vm, longcord, lab):
    plug(lab)
    port = vm.guest.wait_tty("ttyUSB0", "0403:6001")["port"]
    vm.kill()
    device = longcord.wait_state(PLACE, "unclaimed")
    assert "not running" in device["why"]
    vm.start()
    assert vm.guest.wait_tty("ttyUSB0")["port"] == port


@pytest.mark.parametrize("options, state", [
    ("--backup", "prelaunch"), pytest.param("--stateuri defer", "inmigrate", marks=pytest.mark.more)])
def test_a_qemu_that_does_not_run_the_guest_gets_nothing(vm, longcord, lab, options, state):
    """A backup of a stopped VM starts a QEMU for it, and so does a migration to this node."""
    plug(lab)
    vm.guest.wait_tty("ttyUSB0")
    vm.stop()
    lab.node.run(f"qm start 100 {options}")
    lab.wait(lambda: longcord_vm(longcord)["state"].startswith(state), what=f"Longcord to see it {state}")
    assert longcord.device(PLACE)["state"] in ("waiting", "unclaimed")
    assert vm.plugged() == {}
    if state == "prelaunch":  # somebody starts the VM meanwhile: Proxmox lets the same QEMU run, and no hook tells
        vm.qmp("cont")
        lab.wait(lambda: vm.plugged() == {ID: True}, what="the board to be plugged")
    vm.kill()


def test_a_board_that_comes_back_during_a_backup_is_plugged(vm, longcord, lab):
    plug(lab)
    vm.guest.wait_tty("ttyUSB0")
    lab.node.run("qm set 100 --lock backup")
    lab.wait(lambda: "lock: backup" in longcord_vm(longcord)["state"], what="Longcord to see the lock")
    lab.node.unplug_local("board")
    vm.guest.wait_no_tty("ttyUSB0")
    plug(lab)
    vm.guest.wait_tty("ttyUSB0")


@pytest.mark.more
def test_under_a_snapshots_lock_nothing_is_plugged(vm, longcord, lab):
    lab.node.run("qm set 100 --lock snapshot")
    lab.wait(lambda: "lock: snapshot" in longcord_vm(longcord)["state"], what="Longcord to see the lock")
    plug(lab)
    lab.wait(lambda: longcord.device(PLACE), what="Longcord to see the board")
    assert vm.plugged() == {}
    lab.node.run("qm unlock 100")
    vm.guest.wait_tty("ttyUSB0")


@pytest.mark.more
def test_another_vms_stuck_qemu_holds_nobody_up(vm, longcord, lab):
    other = lab.node.vm(101)
    other.ensure_running()
    lab.node.put("1-1.2.2\n", other.rules_path, mode="640")
    pid = lab.node.read("/run/qemu-server/101.pid").strip()
    lab.node.run(f"kill -STOP {pid}")
    try:
        lab.node.plug_local("stuck", "usb-serial", port="1.2.2")
        plug(lab)
        vm.guest.wait_tty("ttyUSB0")
        lab.node.unplug_local("board")
        vm.guest.wait_no_tty("ttyUSB0")
        plug(lab)
        vm.guest.wait_tty("ttyUSB0")
    finally:
        lab.node.run(f"kill -CONT {pid}")
    other.guest.wait_tty("ttyUSB0")
    other.stop()


def longcord_vm(longcord, vmid=100):
    return next(vm for vm in longcord.cli("status")["vms"] if vm["vmid"] == vmid)
