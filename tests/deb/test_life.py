# SPDX-License-Identifier: MIT
"""A machine's life with the packages: installed from the files with only what they declare, upgraded, removed,
installed again, purged. Services do not run in a chroot: what becomes of devices then is tests/lab's."""
from pathlib import Path

import pytest
from chroot import Chroot
from conftest import NAMES

PROGRAMS = ("/usr/bin/longcord", "/usr/sbin/longcord-host", "/usr/sbin/longcord-pi", "/usr/sbin/longcord-portal")
WANTED = "/etc/systemd/system/multi-user.target.wants"
STATE = {"longcord-host": ["/var/lib/longcord/vm/5.json", "/var/lib/longcord/rules/100.usb.conf",
                           "/var/lib/longcord/pis/workbench", "/var/lib/longcord/pushed.json",
                           "/etc/longcord/pis/workbench"],
         "longcord-pi": ["/var/lib/longcord/modes.json", "/var/lib/longcord/joined.json",
                         "/var/lib/longcord/known_hosts", "/etc/longcord/id_ed25519", "/etc/longcord/id_ed25519.pub"],
         "longcord-portal": ["/var/lib/longcord-portal/password"]}


def status(machine, name):
    return machine.try_run("dpkg-query", "-W", "-f", "${db:Status-Status}", name).stdout.strip()


def version(machine, name):
    return machine.run("dpkg-query", "-W", "-f", "${Version}", name)


def leave_state(machine, packages):
    """What the services leave behind."""
    for name in packages:
        for file in map(machine.path, STATE.get(name, [])):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("x\n")


@pytest.fixture(scope="module")
def lived(clean, debs):
    """All four packages, on one machine. Its life goes on from test to test, in their order."""
    machine = Chroot(clean)
    machine.said = machine.install(debs.values())
    yield machine
    machine.close()


def test_installed_every_program_starts(lived, debs):
    for name in NAMES:
        assert status(lived, name) == "installed"
    for program in PROGRAMS:
        assert lived.run(program, "--version").split()[-1] == version(lived, "longcord-host").split("-")[0], program
    # sshd's, with no version to say.
    assert "usage" in lived.try_run("/usr/libexec/longcord/longcord-link").stdout
    assert lived.run("/usr/libexec/longcord/longcord-keys") == ""


def test_the_users_are_there_and_nobody_logs_in_with_a_password(lived):
    shadow = {line.split(":")[0]: line.split(":")[1] for line in lived.path("/etc/shadow").read_text().splitlines()}
    assert shadow["longcord"] == "*"  # "!" would be a locked account to sshd
    assert shadow["longcord-portal"].startswith(("!", "*"))
    assert lived.run("getent", "passwd", "longcord").strip().endswith(":/:/bin/sh")


def test_sshd_has_the_drop_in(lived):
    lived.run("sshd", "-t")
    said = lived.run("sshd", "-T", "-C", "user=longcord,host=localhost,addr=127.0.0.1")
    assert "authorizedkeyscommand /usr/libexec/longcord/longcord-keys" in said and "permittty no" in said
    assert "not in force" not in lived.said


def test_the_services_start_at_boot(lived):
    for name in ("host", "pi", "portal"):
        assert lived.path(f"{WANTED}/longcord-{name}.service").is_symlink()


def test_without_proxmox_nothing_of_it_appears(lived):
    assert not lived.path("/var/lib/vz").exists() and not lived.path("/etc/pve").exists()


def test_an_upgrade_keeps_settings_and_state(lived, later):
    settings = lived.path("/etc/longcord/host.yaml")
    settings.write_text(settings.read_text() + "log_level: debug\n")
    leave_state(lived, NAMES)
    lived.run("systemctl", "disable", "longcord-portal")
    lived.install(later.values())
    assert version(lived, "longcord-pi").startswith("9:")
    assert settings.read_text().endswith("log_level: debug\n")
    for files in STATE.values():
        assert all(lived.path(file).exists() for file in files)
    assert lived.path(f"{WANTED}/longcord-host.service").is_symlink()
    assert not lived.path(f"{WANTED}/longcord-portal.service").exists()  # the administrator's word
    lived.run("sshd", "-t")


def test_removed_settings_and_state_stay(lived):
    said = lived.apt("remove", *NAMES)
    assert "given back" not in said  # in a chroot no service ran, and /sys is another machine's
    assert not lived.path("/usr/sbin/longcord-host").exists()
    assert lived.path("/etc/longcord/host.yaml").read_text().endswith("log_level: debug\n")
    for files in STATE.values():
        assert all(lived.path(file).exists() for file in files)
    lived.run("sshd", "-t")


def test_installed_again_it_is_as_before(lived, later):
    lived.install(later.values())
    assert lived.path("/etc/longcord/host.yaml").read_text().endswith("log_level: debug\n")
    lived.run("longcord", "--version")
    lived.run("sshd", "-t")


def test_one_is_purged_and_the_other_keeps_what_is_its_own(lived):
    """A node may be a Pi too."""
    lived.apt("purge", "longcord-host")
    assert not any(lived.path(file).exists() for file in STATE["longcord-host"])
    assert all(lived.path(file).exists() for file in STATE["longcord-pi"])
    lived.run("longcord-pi", "--check-config")
    lived.run("sshd", "-t")
    lived.apt("purge", "longcord-pi", "longcord-portal", "longcord-common")
    assert not any(lived.path(file).exists() for files in STATE.values() for file in files)


def test_purged_nothing_is_left(node, debs, later):
    """Seen from a machine that had the dependencies all along."""
    node.apt("purge", "longcord-host", "longcord-common")
    before = node.file_list()
    users = node.path("/etc/passwd").read_text()
    assert "longcord" not in users and not [name for name in before if "longcord" in name]
    node.install(debs.values())
    leave_state(node, NAMES)
    node.install(later.values())
    node.apt("purge", *NAMES)
    # Libraries that the others brought along are not ours to remove.
    left = {name for name in node.file_list() - before if "longcord" in name}
    assert left == set()
    assert node.path("/etc/passwd").read_text() == users
    assert "longcord" not in node.path("/etc/group").read_text()


def test_each_package_installs_alone(machine, debs):
    for name in ("longcord-pi", "longcord-portal"):
        machine.install([debs["longcord-common"], debs[name]])
        machine.run(f"/usr/sbin/{name}", "--version")
        machine.apt("purge", name)
    assert not machine.path("/usr/sbin/sshd").exists()  # only a node needs one
    assert not [name for name in machine.file_list() if Path(name).name.startswith("longcord-p")]
