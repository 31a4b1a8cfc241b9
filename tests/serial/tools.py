# SPDX-License-Identifier: MIT
"""The C and C++ parts beside this file, compiled into build/tools when they are first needed."""
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
BUILT = REPOSITORY / "build" / "tools"


def compiled(source):
    """The path of what `source` has become: load.cpp a program, modem_lines.c a library to preload."""
    origin = HERE / source
    program = origin.suffix == ".cpp"
    target = BUILT / (origin.stem if program else origin.stem + ".so")
    if not target.exists() or target.stat().st_mtime < origin.stat().st_mtime:
        BUILT.mkdir(parents=True, exist_ok=True)
        command = ["g++", "-std=c++20", "-O2", "-pthread"] if program else ["gcc", "-O2", "-shared", "-fPIC"]
        subprocess.run([*command, "-Wall", "-Wextra", "-Werror", str(origin), "-o", str(target)], check=True)
    return target


def line_changes(log):
    """[(seconds, dtr, rts)]: every change of the lines in a log of modem_lines.c."""
    rows = [row.split() for row in log.read_text().splitlines()] if log.exists() else []
    lines = [(float(when), dtr == "1", rts == "1") for when, kind, dtr, rts in rows if kind == "lines"]
    before = [(None, True, True), *lines]
    return [one for one, last in zip(lines, before) if one[1:] != last[1:]]


def both_on(changes):
    """For how many seconds DTR and RTS were on together, while that lasted only for a while: with
    them an ESP board's transistors let go of both pins, so that it leaves its reset too early."""
    return sum(later[0] - one[0] for one, later in zip(changes, changes[1:]) if one[1] and one[2])
