# SPDX-License-Identifier: MIT
"""Packages for every release and architecture, each built in a clean Debian and passed by its lintian; what is another
architecture than this machine's is cross-compiled, and so has never run here."""
import subprocess

import pytest
from clean import ARCHITECTURES, RELEASES
from conftest import NAMES, REPOSITORY
from later import field

MACHINES = {"amd64": "Advanced Micro Devices X86-64", "arm64": "AArch64", "armhf": "ARM"}

pytestmark = [pytest.mark.all, pytest.mark.parametrize("codename", RELEASES),
              pytest.mark.parametrize("architecture", ARCHITECTURES)]


@pytest.fixture
def folder(codename, architecture, built):
    return built(codename, architecture)


def readelf(option, program):
    return subprocess.run(["readelf", option, program], capture_output=True, text=True, check=True).stdout


def test_each_package_is_there_in_its_version(folder, codename, architecture):
    newest = (REPOSITORY / "CHANGELOG").read_text().split("(", 1)[1].split(")", 1)[0]
    found = {field(deb, "Package"): deb for deb in folder.glob("*.deb")}
    wanted = {name for name in NAMES if name != "longcord-host" or architecture == "amd64"}
    assert set(found) == wanted | {f"{name}-dbgsym" for name in wanted}
    for deb in found.values():
        assert field(deb, "Version") == f"{newest}~deb{RELEASES[codename]}"
        assert field(deb, "Architecture") == architecture


def test_the_programs_are_of_that_architecture(folder, architecture, tmp_path):
    deb, = folder.glob("longcord-pi_*.deb")
    subprocess.run(["dpkg-deb", "-x", deb, tmp_path], check=True)
    program = tmp_path / "usr/sbin/longcord-pi"
    assert f"Machine:                           {MACHINES[architecture]}" in readelf("-h", program)
    if architecture == "armhf":
        assert "Tag_CPU_arch: v7" in readelf("-A", program)


def test_lintian_was_content(folder):
    said = (folder / "lintian.log").read_text()
    assert not [line for line in said.splitlines() if line.startswith(("E:", "W:"))]
