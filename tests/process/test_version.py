# SPDX-License-Identifier: MIT
"""The version stands in one place, the first line of CHANGELOG; and what the packages test of themselves."""
import os
import re
import subprocess

import pytest
from docs_text import MAN, REPOSITORY
from host_world import binary

NEWEST = re.match(r"longcord \((\d+\.\d+\.\d+)-\d+\)", (REPOSITORY / "CHANGELOG").read_text()).group(1)
TESTS = REPOSITORY / "packaging/debian/tests"


@pytest.mark.parametrize("program", ["longcord", "longcord-host", "longcord-pi", "longcord-portal"])
def test_every_program_has_the_changelogs_version(program):
    said = subprocess.run([binary(program), "--version"], capture_output=True, text=True, check=True).stdout.split()
    assert said[-1] == NEWEST


def test_the_packages_take_it_from_there():
    assert (REPOSITORY / "packaging/debian/changelog").resolve() == REPOSITORY / "CHANGELOG"
    assert (REPOSITORY / "debian").resolve() == REPOSITORY / "packaging/debian"
    assert "dpkg-parsechangelog -S Version" in (REPOSITORY / "tests/deb/build").read_text()


def test_no_other_file_that_is_built_or_installed_has_one():
    """A second place would be forgotten at the next release."""
    found = []
    for path in [REPOSITORY / "CMakeLists.txt", *(REPOSITORY / "cmake").iterdir(), *MAN,
                 *(path for path in (REPOSITORY / "src").rglob("*") if path.suffix in (".cpp", ".hpp", ".txt")),
                 *(path for path in (REPOSITORY / "packaging").rglob("*") if path.is_file() and path.name != "changelog")]:
        for line in path.read_text(errors="replace").splitlines():
            example = re.search(rf"(///?|#|<|such as).*{re.escape(NEWEST)}", line)
            if NEWEST in line and not example:
                found.append(f"{path.relative_to(REPOSITORY)}: {line.strip()}")
    assert found == []


def test_each_entry_of_the_changelog_says_something_and_is_signed():
    entries = re.split(r"^(?=longcord \()", (REPOSITORY / "CHANGELOG").read_text(), flags=re.M)[1:]
    assert entries
    for entry in entries:
        assert re.search(r"^  \* \S", entry, re.M) and re.search(r"^ -- .+ <.+>  \w{3}, \d\d \w{3} \d{4} ", entry, re.M)


def stanzas():
    text = (TESTS / "control").read_text()
    return [dict(line.split(": ", 1) for line in stanza.splitlines()) for stanza in text.strip().split("\n\n")]


def test_there_is_an_autopkgtest_for_each_package():
    packages = set(re.findall(r"^Package: longcord-(\S+)", (REPOSITORY / "packaging/debian/control").read_text(), re.M))
    assert {stanza["Tests"] for stanza in stanzas()} == packages
    for stanza in stanzas():
        assert f"longcord-{stanza['Tests']}" in stanza["Depends"].split(", ")


@pytest.mark.parametrize("name", [stanza["Tests"] for stanza in stanzas()])
def test_an_autopkgtest_is_a_program_that_stops_at_the_first_failure(name):
    script = TESTS / name
    assert os.access(script, os.X_OK)
    text = script.read_text()
    assert text.startswith("#!/bin/sh\n") and "\nset -eu\n" in text
    assert subprocess.run(["sh", "-n", script]).returncode == 0
