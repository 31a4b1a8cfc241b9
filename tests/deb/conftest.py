# SPDX-License-Identifier: MIT
"""The packages of what is committed, built once, and machines on which they are tried."""
import os
import subprocess
from pathlib import Path

import pytest
from chroot import Chroot, base, rootfs
from clean import RELEASES, is_built, native, output
from later import make_later

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = ("longcord-common", "longcord-host", "longcord-pi", "longcord-portal")


OWN, _ = rootfs.debian_sources()


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="every release and architecture, and not this machine's only")


def pytest_configure(config):
    config.addinivalue_line("markers", "all: only with --all")


def pytest_generate_tests(metafunc):
    """What asks for packages is tried with those of each release that a node can have."""
    if "release" in metafunc.fixturenames:
        others = [name for name in RELEASES if name != OWN] if metafunc.config.option.all else []
        metafunc.parametrize("release", [OWN, *others], scope="session")


def pytest_collection_modifyitems(config, items):
    if not config.option.all:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("all")])
        items[:] = [item for item in items if not item.get_closest_marker("all")]


@pytest.fixture(scope="session")
def built():
    """built(release, architecture): the folder with its packages, made in a clean Debian, once a commit; or those from
    before, in RELEASE-ARCHITECTURE below $LONGCORD_DEBS."""
    def build(release, architecture):
        if "LONGCORD_DEBS" in os.environ:
            return Path(os.environ["LONGCORD_DEBS"]) / f"{release}-{architecture}"
        if not is_built(release, architecture):
            subprocess.run([REPOSITORY / "tests/deb/build", release, architecture], check=True)
        return output(release, architecture)
    return build


@pytest.fixture(scope="session")
def in_clean_debian(request):
    """Whether packages are those that are built (and checked by lintian) in a clean Debian."""
    return request.config.option.all


@pytest.fixture(scope="session")
def packages(release, built, in_clean_debian):
    """The folder with the packages for this machine's architecture; one from before where $LONGCORD_DEBS names it."""
    if in_clean_debian:
        return built(release, native())
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
    return {name: make_later(deb, folder) for name, deb in debs.items()}


@pytest.fixture(scope="session")
def clean(release):
    return base(release)


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
