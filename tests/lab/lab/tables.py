# SPDX-License-Identifier: MIT
"""What was measured in the lab, as Markdown."""

import statistics


def pick(rows, **wanted):
    return [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]


def table(header, lines):
    cells = [header, ["---"] + ["--:"] * (len(header) - 1), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in cells)


def spread(values, places=0, unit=""):
    """Median, and the least and the most."""
    low, middle, high = (f"{value:.{places}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle}{unit} ({low} to {high})"


def verdict(met):
    return "met" if met else "**missed**"
