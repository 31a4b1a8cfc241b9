# SPDX-License-Identifier: MIT
"""The version stands in one place, the first line of CHANGELOG."""
import re
import subprocess

import pytest
from docs_text import MAN, REPOSITORY
from host_world import binary

NEWEST = re.match(r"longcord \((\d+\.\d+\.\d+)-\d+\)", (REPOSITORY / "CHANGELOG").read_text()).group(1)


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
