# SPDX-License-Identifier: MIT
"""What can be said of the packages without installing them."""
import hashlib
import os
import re
import subprocess

import pytest
from clean import RELEASES, native
from conftest import NAMES, REPOSITORY

BOUNDS = {"host": 30, "pi": 30, "portal": 15}  # tenths, of systemd-analyze's 0 to 10


@pytest.fixture(scope="module")
def unpacked(debs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    for name, deb in debs.items():
        subprocess.run(["dpkg-deb", "-R", deb, folder / name], check=True)
    return folder


def test_lintian_has_no_error_and_no_warning(packages, in_clean_debian):
    """An override has its reason as a comment above it. What is built in a clean Debian was checked there."""
    if in_clean_debian:
        assert (packages / "lintian.log").exists()
        return
    changes, = packages.glob("*.changes")
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", changes],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for overrides in REPOSITORY.glob("packaging/debian/**/*lintian-overrides"):
        for before, line in zip(["", *overrides.read_text().splitlines()], overrides.read_text().splitlines()):
            assert line.startswith("#") or before.startswith("#"), f"{overrides}: {line}: no reason"


@pytest.mark.parametrize("service", BOUNDS)
def test_the_units_are_hardened(service, unpacked):
    unit, = unpacked.glob(f"longcord-{service}/**/longcord-{service}.service")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                           f"--threshold={BOUNDS[service]}", unit], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "Overall exposure level" in done.stdout


def test_the_node_starts_its_vms_after_the_service_and_the_service_after_pmxcfs(unpacked):
    unit, = unpacked.glob("longcord-host/**/longcord-host.service")
    after, before = (re.search(rf"^{key}=(.*)$", unit.read_text(), re.M)[1].split() for key in ("After", "Before"))
    assert "pve-cluster.service" in after and "pve-guests.service" in before
    assert not [name for name in after if "network" in name or "quorum" in name]


def test_modules_are_loaded_at_boot(unpacked):
    def modules(name):
        file, = unpacked.glob(f"{name}/**/modules-load.d/*.conf")
        return {line for line in file.read_text().splitlines() if not line.startswith("#")}
    assert modules("longcord-host") == {"vhci-hcd", "tls"}
    assert modules("longcord-pi") == {"usbip-host"}


def test_what_lies_in_etc_is_a_conffile(unpacked):
    for name in NAMES:
        in_etc = {f"/{file.relative_to(unpacked / name)}" for file in (unpacked / name / "etc").rglob("*")
                  if file.is_file()}
        conffiles = unpacked / name / "DEBIAN/conffiles"
        assert in_etc == (set(conffiles.read_text().split()) if conffiles.exists() else set()), name


@pytest.mark.parametrize("name", ["longcord-common", "longcord-pi"])
@pytest.mark.parametrize("processor, goes_on", [("armv6l", False), ("armv7l", True), ("aarch64", True), ("x86_64", True)])
def test_on_armv6_nothing_is_unpacked(name, processor, goes_on, unpacked, tmp_path):
    uname = tmp_path / "uname"
    uname.write_text(f"#!/bin/sh\necho {processor}\n")
    uname.chmod(0o755)
    done = subprocess.run([unpacked / name / "DEBIAN/preinst", "install"], capture_output=True, text=True,
                          env={"PATH": f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"})
    assert (done.returncode == 0) == goes_on, done
    assert goes_on or "ARMv7" in done.stderr


def test_version_and_release_are_those_of_the_changelog(debs, release):
    newest = (REPOSITORY / "CHANGELOG").read_text().split("(", 1)[1].split(")", 1)[0]
    for name, deb in debs.items():
        version = subprocess.run(["dpkg-deb", "-f", deb, "Version"], capture_output=True, text=True, check=True).stdout
        assert version.strip() == f"{newest}~deb{RELEASES[release]}", name


def test_every_program_has_a_manual_page(unpacked):
    for program in ("longcord", "longcord-host", "longcord-pi", "longcord-portal", "longcord-link"):
        assert list(unpacked.glob(f"*/usr/share/man/man[18]/{program}.[18].gz")), program


@pytest.mark.skipif("LONGCORD_DEBS" in os.environ, reason="LONGCORD_DEBS names packages that were built elsewhere")
def test_built_twice_they_are_identical(packages, release, in_clean_debian):
    def sums():
        return {deb.name: hashlib.sha256(deb.read_bytes()).hexdigest() for deb in packages.glob("*.deb")}
    before = sums()
    which = [release, native()] if in_clean_debian else []
    subprocess.run([REPOSITORY / "tests/deb/build", *which], check=True)
    assert len(before) >= len(NAMES) and sums() == before
