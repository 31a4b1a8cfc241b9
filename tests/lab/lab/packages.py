# SPDX-License-Identifier: MIT
"""Longcord in a machine as its Debian package, instead of the tree that tests/stage lays out."""

import contextlib
import sys

from lab import install, paths
from lab.longcord import HOST_YAML, pi_yaml

sys.path.insert(0, str(paths.REPOSITORY / "tests/deb"))
APT = "DEBIAN_FRONTEND=noninteractive apt-get -qy -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold"
SERVED = "/srv/longcord"


def debs(release, architecture):
    """By name; of the folder in which `tests/deb/build RELEASE ARCHITECTURE` leaves them."""
    from clean import output
    from later import field
    found = {field(deb, "Package"): deb for deb in output(release, architecture).glob("longcord-*.deb")}
    if "longcord-pi" not in found:
        raise FileNotFoundError(f"there are no packages in {output(release, architecture)}: "
                                f"run tests/deb/build {release} {architecture}")
    return {name: deb for name, deb in found.items() if not name.endswith("-dbgsym")}


@contextlib.contextmanager
def pi_without_longcord(lab):
    """The Pi, but for its key and settings: they are what an installed package finds then."""
    try:
        with without_longcord(lab.pi, paths.STAGE / "pi", install.SERVICES["pi"]):
            lab.pi.put(pi_yaml(*lab.nodes()), "/etc/longcord/pi.yaml")
            yield
    finally:
        install.introduce(lab)
        install.tell_pi(lab, pi_yaml(*lab.nodes()))


@contextlib.contextmanager
def node_without_longcord(lab):
    """The node, but for its settings and the keys of its Pi; its kernel has no vhci yet, and no link of before goes on."""
    try:
        with without_longcord(lab.node, paths.STAGE / "host", install.SERVICES["host"]):
            lab.node.run("pkill -x longcord-link; userdel longcord; rm -rf /var/lib/longcord /run/longcord "
                         "/var/lib/vz/snippets/longcord-hookscript; modprobe -r vhci_hcd")
            lab.node.put(HOST_YAML, "/etc/longcord/host.yaml")
            yield
    finally:
        install.install_node(lab.node, HOST_YAML)
        install.introduce(lab)
        install.run_services(lab.node, install.SERVICES["host"])


@contextlib.contextmanager
def without_longcord(machine, tree, services):
    """A machine as it was before anything of ours was installed. In the end what was installed is purged, and the tree
    is back."""
    install.remove(machine, tree, services)
    # Debian's own archive is not to be had in the lab: what a package depends on is in the image.
    machine.run("mkdir -p /root/sources && mv /etc/apt/sources.list* /root/sources/ && mkdir -p /etc/apt/sources.list.d")
    try:
        yield
    finally:
        machine.run(f"{APT} purge 'longcord-*'; rm -rf /etc/apt/sources.list* /etc/apt/keyrings /var/lib/apt/lists/*; "
                    "mv /root/sources/* /etc/apt/", timeout=600)
        install.bring(machine, tree, services)


def install_files(machine, *files):
    """As docs/packages.md has it: apt, with nothing but the files. Returns what it said."""
    machine.run("rm -rf /root/debs")
    for deb in files:
        machine.put(deb, f"/root/debs/{deb.name}")
    said = apt(machine, "install /root/debs/*.deb")
    machine.run("rm -r /root/debs")
    return said


def apt(machine, words):
    """What apt and the maintainer scripts said."""
    return machine.run(f"{APT} {words} 2>&1", timeout=600)


def serve(machine, folder, port):
    """The files of a folder, by http, as any web server would. Call it again when they have changed."""
    machine.run(f"rm -rf {SERVED}")
    machine.ssh.put_tree(folder, SERVED)
    machine.run("systemctl is-active --quiet lab-web || systemd-run --quiet --unit=lab-web "
                f"python3 -m http.server --bind {machine.address} --directory {SERVED} {port}")
    return f"http://{machine.address}:{port}"


def stop_serving(machine):
    machine.run(f"systemctl stop lab-web 2>/dev/null; rm -rf {SERVED}")


def version(machine, name):
    return machine.run(["dpkg-query", "-W", "-f", "${Version}", name])
