"""A Pi gets Longcord from the apt repository by name, and later the next version of it, while a guest has its board."""

import pytest

from lab import packages
from lab.gadget import Gadget
from lab.packages import APT

from later import field, make_later, newer  # noqa: E402  (tests/deb, by lab.packages)
from repository import Repository, source  # noqa: E402

BOARD = Gadget(vendor=0x1A86, product=0x55D4, serial="0001", socket=0)
PORT = 8000

pytestmark = pytest.mark.packages


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "site")
    yield made
    made.close()


def test_a_pi_installs_longcord_by_name_and_is_upgraded(longcord, lab, repository, tmp_path):
    debs = packages.debs("bookworm", "amd64")
    first = field(debs["longcord-pi"], "Version")
    vm = lab.node.vm(100)
    vm.ensure_running()
    with packages.pi_without_longcord(lab):
        try:
            repository.publish(*debs.values())
            add(lab, repository)
            lab.pi.run(f"{APT} update && {APT} install longcord-pi", timeout=600)
            assert packages.version(lab.pi, "longcord-pi") == first
            assert lab.pi.run("systemctl is-active longcord-pi; systemctl is-enabled longcord-pi").split() == \
                ["active", "enabled"]
            longcord.wait_linked()
            vm.write_rules("workbench 1a86:55d4")
            place = lab.pi.plug(BOARD)
            vm.guest.wait_tty("ttyACM0", "1a86:55d4", serial="0001")
            longcord.wait_state(place, "plugged")
            assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
            heard = vm.guest.mark()

            repository.publish(*(make_later(deb, tmp_path, newer) for deb in debs.values()))
            packages.serve(lab.node, repository.folder, PORT)
            old = longcord.service_pid(lab.pi, "longcord-pi")
            lab.pi.run(f"{APT} update && {APT} upgrade", timeout=600)
            assert packages.version(lab.pi, "longcord-pi") == newer(first)
            assert packages.version(lab.pi, "longcord-common") == newer(first)
            assert longcord.service_pid(lab.pi, "longcord-pi") not in (0, old)
            longcord.wait_linked()
            longcord.wait_state(place, "plugged")
            assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
            assert [line for line in vm.guest.log(heard) if "LAB tty" in line] == [], "the guest kept its board"
        finally:
            packages.stop_serving(lab.node)


def add(lab, repository):
    """What docs/packages.md tells an administrator to do."""
    site = packages.serve(lab.node, repository.folder, PORT)
    lab.pi.put((repository.folder / "longcord.asc").read_text(), "/etc/apt/keyrings/longcord.asc")
    lab.pi.put(source(site, "bookworm"), "/etc/apt/sources.list.d/longcord.sources")
