# SPDX-License-Identifier: MIT
"""A package made again as the next version of itself: what an upgrade meets."""
import subprocess


def field(deb, name):
    return subprocess.run(["dpkg-deb", "-f", deb, name], check=True, capture_output=True, text=True).stdout.strip()


def newer(version):
    """The next one of the same release: 0.1.0-1~deb12 becomes 0.1.0-1.1~deb12."""
    number, release = version.split("~")
    return f"{number}.1~{release}"


def make_later(deb, folder, change=lambda version: f"9:{version}"):
    """Into `folder`; the packages that are made so depend on each other as before."""
    name, version = field(deb, "Package"), field(deb, "Version")
    tree = folder / name
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text().replace(version, change(version)))
    later = folder / f"{name}_later.deb"
    subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", tree, later], check=True,
                   stdout=subprocess.DEVNULL)
    return later
