# SPDX-License-Identifier: MIT
"""Longcord in a machine as its Debian package, instead of the tree that tests/stage lays out."""

import contextlib
import sys

from lab import install, paths
from lab.longcord import pi_yaml

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
    """The Pi as it was before anything of ours was installed, but for its key and settings. They are what an installed
    package finds then; in the end the package is purged, and the tree is back."""
    tree = paths.STAGE / "pi"
    install.remove(lab.pi, tree, install.SERVICES["pi"])
    lab.pi.put(pi_yaml(*lab.nodes()), "/etc/longcord/pi.yaml")
    # Debian's own archive is not to be had in the lab: what the package depends on is in the image.
    lab.pi.run("mkdir -p /root/sources && mv /etc/apt/sources.list* /root/sources/ && mkdir -p /etc/apt/sources.list.d")
    try:
        yield
    finally:
        lab.pi.run(f"{APT} purge 'longcord-*'; rm -rf /etc/apt/sources.list* /etc/apt/keyrings /var/lib/apt/lists/*; "
                   "mv /root/sources/* /etc/apt/", timeout=600)
        install.bring(lab.pi, tree, install.SERVICES["pi"])
        install.introduce(lab)
        install.tell_pi(lab, pi_yaml(*lab.nodes()))


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
