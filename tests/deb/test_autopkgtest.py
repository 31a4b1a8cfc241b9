# SPDX-License-Identifier: MIT
"""packaging/debian/tests, run as Debian runs them: by autopkgtest, each in a container that has just booted."""
import subprocess

import pytest
from chroot import Chroot
from clean import RELEASES
from conftest import REPOSITORY
from container import SYSTEM, Container

TESTS = ("common", "host", "pi", "portal")
NEEDED = ("curl", "man-db", "socat")  # of their Depends, what is no package of ours


@pytest.fixture(scope="module")
def system(clean, debs):
    """A Debian that can boot. What the tests will ask apt for is in its cache then."""
    chroot = Chroot(clean)
    chroot.apt("install", *SYSTEM)
    chroot.apt("install", "--download-only", *NEEDED)
    chroot.install(debs.values(), "--download-only")
    yield chroot
    chroot.close()


@pytest.fixture
def testbed(system):
    container = Container(system.changes, *system.trees)
    try:
        container.wait_until_up()
        yield container
    finally:
        container.close()


@pytest.fixture(scope="module")
def source(tmp_path_factory, release):
    folder = tmp_path_factory.mktemp("source")
    subprocess.run([REPOSITORY / "tests/deb/source", folder, RELEASES[release], release], check=True)
    return folder


def test_every_test_of_the_packages_is_run_here():
    control = (REPOSITORY / "packaging/debian/tests/control").read_text()
    named = [name for line in control.splitlines() if line.startswith("Tests:") for name in line.split()[1:]]
    assert sorted(named) == sorted(TESTS)


@pytest.mark.parametrize("name", TESTS)
def test_autopkgtest(name, testbed, debs, source, tmp_path):
    done = subprocess.run(
        ["autopkgtest", "--no-built-binaries", f"--test-name={name}", "--output-dir", tmp_path / "out",
         *debs.values(), f"{source}/", "--",
         "ssh", "--hostname", "container", "--login", "root", "--capability", "isolation-container",
         "--capability", "revert-full-system",  # by being thrown away: no test follows in it
         f"--options=-F {testbed.ssh_config()}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-6000:]
    assert f"{name:<20} PASS" in (tmp_path / "out/summary").read_text()
