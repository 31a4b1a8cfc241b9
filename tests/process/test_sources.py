"""What CONTRIBUTING.md promises of the sources and no compiler checks."""

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LONGEST = 400  # lines; a longer file needs a second room, or its reason here
PURE = ("rules", "plan")
FOREIGN = re.compile(r'#include <(boost/asio|libudev|yaml-cpp|libssh|spdlog)')


def sources(*folders):
    for folder in folders or ("src", "tests/unit"):
        yield from sorted(path for path in (REPOSITORY / folder).rglob("*") if path.suffix in (".cpp", ".hpp"))


def named(path):
    return str(path.relative_to(REPOSITORY))


def test_formatted():
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *map(str, sources())], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000]


@pytest.mark.parametrize("path", sources("src"), ids=named)
def test_no_await_in_a_condition(path):
    """g++ 12 miscompiles these silently."""
    text = re.sub(r'"(\\.|[^"\\\n])*"|\'(\\.|[^\'\\\n])+\'|//.*', "", path.read_text())
    for found in re.finditer(r"\b(if|while|switch)\s*\(", text):
        depth, end = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        assert "co_await" not in text[found.end():end], f"{named(path)}: {text[found.start():end]}"


def test_no_file_is_too_long():
    long = {named(path): len(path.read_text().splitlines()) for path in sources("src")}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


@pytest.mark.parametrize("room", PURE)
def test_thinking_includes_no_io(room):
    for path in sources(f"src/{room}"):
        assert not FOREIGN.search(path.read_text()), named(path)


def test_no_path_of_one_machine():
    """Nothing that is committed may only be true where it was written."""
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in listed.split():
        path = REPOSITORY / name
        if path.is_file() and not path.is_symlink():
            assert f"{REPOSITORY}/" not in path.read_bytes().decode(errors="replace"), name


def cases_and_files():
    """What tests are called, and where they stand."""
    titles, files = [], set()
    for path in sources("tests/unit"):
        for case in re.findall(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)', path.read_text()):
            titles.append("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', case)))
    for folder in ("process", "lab/scenarios"):
        for path in (REPOSITORY / "tests" / folder).glob("*.py"):
            files.add(path.stem)
            titles += [name.replace("_", " ") for name in re.findall(r"def (test_\w+)", path.read_text())]
    return titles, files


def missing(text):
    """Titles in quotes and files in back quotes that are no test's."""
    titles, files = cases_and_files()
    for title in re.findall(r'"([^"]+)"', text):
        if title != "..." and not any(title.lower() in known.lower() for known in titles):
            yield title
    for named_there in re.findall(r"(?:process|scenarios?) ((?:`\w+`(?:, )?)+)", text):
        yield from (name for name in re.findall(r"`(\w+)`", named_there) if name not in files)
    for named_there in re.findall(r"fuzzers? ((?:`\w+`(?:, )?)+)", text):
        for name in re.findall(r"`(\w+)`", named_there):
            if not (REPOSITORY / f"tests/fuzz/{name}_fuzz.cpp").exists():
                yield name


def test_the_traps_name_tests_that_exist():
    rows = re.findall(r"^\| (\d+) \|[^|]*\|(.*)\|$", (REPOSITORY / "docs/traps.md").read_text(), re.M)
    assert [int(number) for number, _ in rows] == list(range(1, 23))
    for number, text in rows:
        assert list(missing(text)) == [], f"trap {number}"


def test_the_security_page_names_tests_that_exist_for_every_claim():
    """A claim is a row of a table whose last column is `shown by`."""
    claims = 0
    for block in (REPOSITORY / "docs/security.md").read_text().split("\n\n"):
        assert list(missing(block.replace("\n", " "))) == [], block
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        if rows[0][-1] == "shown by":
            claims += len(rows[2:])
            assert [row for row in rows[2:] if not re.search(r'"|`', row[-1])] == []
    assert claims > 40
