# SPDX-License-Identifier: MIT
"""Runs benchmarks: tests/bench.d [NAME...]

A benchmark is a file here with TITLE, with measure(emit), which calls emit(row) for each figure (a
dict), and with page(rows), which makes Markdown of them; and with versions(), where it measures
more than our own programs. Its section in docs/benchmarks.md stands
between two comments and is replaced as a whole; what people wrote around it stays.
"""
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "benchmarks.md"


def names():
    return sorted(file.stem for file in HERE.glob("[a-z]*.py"))


def machine():
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True)
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    load = os.getloadavg()[0]
    return (f"{os.cpu_count()} × {model.group(1) if model else platform.machine()}, Linux {platform.release()}, "
            f"load {load:.1f} at the start, commit {commit.stdout.strip() or 'unknown'}, {time.strftime('%Y-%m-%d')}")


def replace_section(text, name, section):
    begin, end = f"<!-- {name}: written by tests/bench -->", f"<!-- end of {name} -->"
    section = f"{begin}\n{section.strip()}\n{end}"
    if begin not in text:
        return f"{text.rstrip()}\n\n{section}\n"
    return text[:text.index(begin)] + section + text[text.index(end) + len(end):]


def get_ahead():
    """What else this machine does shall disturb all of them less."""
    try:
        os.nice(-10)
        Path("/proc/self/autogroup").write_text("-10")  # where sessions compete, not processes
    except OSError:
        pass  # not root, or no such scheduler


def run(name):
    spec = importlib.util.spec_from_file_location(f"bench_{name}", HERE / f"{name}.py")
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    rows = []

    def emit(row):
        rows.append(row)
        print(json.dumps({"bench": name, **row}), flush=True)

    where = machine()
    get_ahead()
    bench.measure(emit)
    versions = f"Versions: {bench.versions()}.\n\n" if hasattr(bench, "versions") else ""
    section = f"## {bench.TITLE}\n\n`tests/bench {name}` on {where}.\n\n{versions}{bench.page(rows)}"
    text = PAGE.read_text() if PAGE.exists() else "# Benchmarks\n"
    PAGE.write_text(replace_section(text, name, section))


def main(wanted):
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        sys.exit(f"tests/bench: no benchmark {', '.join(unknown)}; there are: {', '.join(names())}")
    for name in wanted or names():
        run(name)


if __name__ == "__main__":
    sys.path.remove(str(HERE))  # serial is also a module of Debian's
    main(sys.argv[1:])
