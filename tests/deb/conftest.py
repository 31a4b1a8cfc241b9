# SPDX-License-Identifier: MIT
"""The packages of what is committed, built once, and machines on which they are tried."""
import os
import subprocess
from pathlib import Path

import pytest
from chroot import Chroot, base

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = ("longcord-common", "longcord-host", "longcord-pi", "longcord-portal")


@pytest.fixture(scope="session")
def packages():
    """The folder with the packages; one from before where $LONGCORD_DEBS names it."""
    if "LONGCORD_DEBS" in os.environ:
        return Path(os.environ["LONGCORD_DEBS"])
    subprocess.run([REPOSITORY / "tests/deb/build"], check=True)
    return REPOSITORY / "build/deb/packages"


@pytest.fixture(scope="session")
def debs(packages):
    """By name."""
    found = {name: list(packages.glob(f"{name}_*.deb")) for name in NAMES}
    assert all(len(files) == 1 for files in found.values()), found
    return {name: files[0] for name, files in found.items()}


@pytest.fixture(scope="session")
def later(debs, tmp_path_factory):
    """The same packages as the next version: what an upgrade meets."""
    folder = tmp_path_factory.mktemp("later")
    made = {}
    for name, deb in debs.items():
        tree = folder / name
        subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
        control = tree / "DEBIAN/control"
        version = subprocess.run(["dpkg-deb", "-f", deb, "Version"], check=True, capture_output=True,
                                 text=True).stdout.strip()
        control.write_text(control.read_text().replace(version, f"9:{version}"))
        made[name] = folder / f"{name}_later.deb"
        subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", tree, made[name]], check=True,
                       stdout=subprocess.DEVNULL)
    return made


@pytest.fixture(scope="session")
def clean():
    return base()


@pytest.fixture
def machine(clean):
    """A clean Debian."""
    chroot = Chroot(clean)
    yield chroot
    chroot.close()


@pytest.fixture(scope="session")
def installed(clean, debs):
    """Where longcord-host was installed; nothing runs in it any more."""
    chroot = Chroot(clean)
    chroot.install([debs["longcord-common"], debs["longcord-host"]])
    yield chroot
    chroot.close()


@pytest.fixture
def node(installed):
    """A Debian with longcord-host."""
    chroot = Chroot(installed.changes, *installed.trees)
    yield chroot
    chroot.close()
