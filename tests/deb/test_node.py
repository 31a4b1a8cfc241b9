# SPDX-License-Identifier: MIT
"""What longcord-host's maintainer scripts do to sshd, and to Proxmox' hookscripts."""
import pytest

DROPIN = "/etc/ssh/sshd_config.d/50-longcord.conf"
ASIDE = DROPIN + ".not-accepted"
HOOK = "/var/lib/vz/snippets/longcord-hookscript"
NO_OP = "This does nothing"


def configure(node):
    return node.run("dpkg-reconfigure", "-fnoninteractive", "longcord-host")


# --- sshd

def test_a_drop_in_that_sshd_does_not_accept_is_moved_away_and_the_package_is_configured(node):
    good = node.path(DROPIN).read_text()
    node.path(DROPIN).write_text("LongcordNonsense yes\n" + good)
    said = configure(node)
    assert node.path(ASIDE).exists() and not node.path(DROPIN).exists()
    assert "LongcordNonsense" in said and "dpkg-reconfigure longcord-host" in said
    node.run("sshd", "-t")
    node.path(ASIDE).write_text(good)  # corrected
    configure(node)
    assert node.path(DROPIN).exists() and not node.path(ASIDE).exists()
    node.run("sshd", "-t")


def test_a_fault_that_is_not_in_the_drop_in_moves_nothing(node):
    with node.path("/etc/ssh/sshd_config").open("a") as config:
        config.write("AdminsNonsense yes\n")
    said = configure(node)
    assert node.path(DROPIN).exists() and not node.path(ASIDE).exists()
    assert "AdminsNonsense" in said and "with or without" in said


def test_a_new_version_meets_an_sshd_with_a_fault_and_is_installed(node, later):
    with node.path("/etc/ssh/sshd_config").open("a") as config:
        config.write("AdminsNonsense yes\n")
    node.install([later["longcord-common"], later["longcord-host"]])
    assert node.run("dpkg-query", "-W", "-f", "${db:Status-Status}", "longcord-host") == "installed"


def test_a_drop_in_that_is_not_read_is_said(node):
    config = node.path("/etc/ssh/sshd_config")
    config.write_text("".join(line for line in config.read_text().splitlines(True) if not line.startswith("Include")))
    said = configure(node)
    assert "not in force" in said and "Include" in said


def test_a_drop_in_that_the_administrator_deleted_stays_deleted(node, later):
    node.path(DROPIN).unlink()
    node.install([later["longcord-common"], later["longcord-host"]])
    assert not node.path(DROPIN).exists() and not node.path(ASIDE).exists()


# --- links

# One of before an upgrade, one of now, and one of a Pi that logs in again while everything is given back.
LINKS = r"""
cd /usr/libexec/longcord
upgrade() { cp /bin/sleep new && mv new longcord-link; }
link='setpriv --reuid longcord --clear-groups /usr/libexec/longcord/longcord-link 1000'
upgrade; $link &
upgrade; $link &
echo "#!/bin/sh\n$link & until grep -q longcord /proc/\$!/comm; do sleep 0.1; done" >/usr/sbin/longcord-host
mkdir -p /run/systemd/system
dpkg --purge longcord-host
! { grep -l longcord-link /proc/[0-9]*/comm || getent passwd longcord; }
"""


def test_links_end_with_the_package_whenever_they_began_and_their_user_goes(node):
    node.run("sh", "-c", "set -e" + LINKS)


# --- Proxmox

@pytest.fixture
def proxmox(node):
    """As Proxmox leaves a machine, as far as maintainer scripts look. Two nodes; VM 100 is on the other one."""
    node.path("/var/lib/vz").mkdir()
    for name in ("pve1", "pve2"):
        for kind in ("qemu-server", "lxc"):
            node.path(f"/etc/pve/nodes/{name}/{kind}").mkdir(parents=True)
    node.path("/etc/pve/local").symlink_to("nodes/pve1")
    configure(node)
    return node


def name_hook(node, path, storage="local"):
    file = node.path(f"/etc/pve/nodes/{path}.conf")
    file.write_text(f"name: x\nhookscript: {storage}:snippets/longcord-hookscript\nmemory: 64\n")
    return file


def test_the_hookscript_is_where_proxmox_finds_it_and_named_by_nobody(proxmox):
    assert proxmox.path(HOOK).read_bytes() == proxmox.path("/usr/share/longcord/longcord-hookscript").read_bytes()
    assert proxmox.path(HOOK).stat().st_mode & 0o777 == 0o755
    assert not list(proxmox.path("/etc/pve").rglob("*.conf"))


def test_named_by_nobody_it_goes_with_the_package(proxmox):
    proxmox.path("/etc/pve/nodes/pve1/qemu-server/101.conf").write_text("hookscript: local:snippets/another\n")
    proxmox.apt("remove", "longcord-host")
    assert not proxmox.path(HOOK).exists()
    assert proxmox.path("/var/lib/vz/snippets").is_dir()  # Proxmox' own


@pytest.mark.parametrize("how", ["remove", "purge"])
def test_while_a_config_of_the_cluster_names_it_one_that_does_nothing_stays(proxmox, how):
    there = name_hook(proxmox, "pve2/qemu-server/100")
    container = name_hook(proxmox, "pve1/lxc/200")
    said = proxmox.apt(how, "longcord-host")
    assert NO_OP in proxmox.path(HOOK).read_text()
    assert "100 (on pve2)" in said and "200 (on pve1)" in said
    for phase in ("pre-start", "post-start", "pre-stop", "post-stop"):
        assert proxmox.run(HOOK, "100", phase) == ""
    there.unlink()
    container.unlink()
    if how == "remove":
        proxmox.apt("purge", "longcord-host")
        assert not proxmox.path(HOOK).exists()


def test_a_snapshot_that_names_it_counts(proxmox):
    proxmox.path("/etc/pve/nodes/pve1/qemu-server/100.conf").write_text(
        "name: x\n\n[before]\nhookscript: local:snippets/longcord-hookscript\n")
    proxmox.apt("purge", "longcord-host")
    assert NO_OP in proxmox.path(HOOK).read_text()


def test_while_etc_pve_is_away_nobody_can_tell_and_it_stays(proxmox):
    proxmox.path("/etc/pve/local").unlink()
    said = proxmox.apt("purge", "longcord-host")
    assert NO_OP in proxmox.path(HOOK).read_text() and "/etc/pve is away" in said


def test_installed_again_it_is_the_real_one(proxmox, debs):
    name_hook(proxmox, "pve1/qemu-server/100")
    proxmox.apt("purge", "longcord-host")
    assert NO_OP in proxmox.path(HOOK).read_text()
    proxmox.install([debs["longcord-common"], debs["longcord-host"]])
    assert NO_OP not in proxmox.path(HOOK).read_text()


def leave_cluster_state(node):
    for name in ("longcord/vm/100.json", "priv/longcord/pis/workbench"):
        file = node.path(f"/etc/pve/{name}")
        file.parent.mkdir(parents=True)
        file.write_text("x\n")
    return [node.path("/etc/pve/longcord"), node.path("/etc/pve/priv/longcord")]


def test_keys_of_the_cluster_stay_while_there_is_another_node(proxmox):
    state = leave_cluster_state(proxmox)
    said = proxmox.apt("purge", "longcord-host")
    assert all(folder.exists() for folder in state) and "rm -r" in said


def test_on_a_node_alone_they_are_purged(proxmox):
    proxmox.run("rm", "-r", "/etc/pve/nodes/pve2")
    state = leave_cluster_state(proxmox)
    rules = proxmox.path("/etc/pve/nodes/pve1/qemu-server/100.usb.conf")
    rules.write_text("3-4\n")
    proxmox.apt("purge", "longcord-host")
    assert not any(folder.exists() for folder in state)
    assert rules.exists()  # written by a person
