# SPDX-License-Identifier: MIT
"""Figures of a campaign, and the page they stand on. Pure."""

import collections
import math
import re

PAGE = "docs/reliability.md"


def percentile(values, share):
    """The smallest value that `share` (0.5, 0.99) of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values):
    """p50, p99 and worst, in seconds, as cells of a table."""
    if not values:
        return "– | – | –"
    return f"{percentile(values, 0.5):.1f} | {percentile(values, 0.99):.1f} | {max(values):.1f}"


def returns_table(times):
    """`times`: what -> seconds that it took each time."""
    rows = [f"| {what} | {len(values)} | {spread(values)} |" for what, values in sorted(times.items()) if values]
    return "\n".join(["| | times | p50 s | p99 s | worst s |", "|---|--:|--:|--:|--:|", *rows])


def growth_table(begin, end):
    """Lists of processes as dicts; those that were killed meanwhile have other pids, which the table says."""
    rows = []
    before = {process["name"]: process for process in begin}
    for process in end:
        if process["name"] not in before:
            continue
        was = before[process["name"]]
        same = "" if was["pid"] == process["pid"] else " (another process)"
        rows.append(f"| `{process['name']}`{same} | {was['rss_kib']:,} | {process['rss_kib']:,} "
                    f"| {was['fds']} | {process['fds']} |")
    return "\n".join(["| | RSS at start, KiB | at end | descriptors at start | at end |", "|---|--:|--:|--:|--:|", *rows])


def watch_line(worst):
    """What the watch on the node noticed all the while."""
    def told(kind, words, otherwise):
        note = worst.get(kind)
        if not note:
            return otherwise
        excuse = f" ({note['excuse']}, which is no breach)" if note.get("excuse") else ""
        return f"{words} {note['seconds']:.1f} s, of which the machine itself was late {note['late']:.1f} s{excuse}"

    stall = told("stall", "the longest silence of a VM's monitor was", "no monitor was silent for more than 1 s")
    hold = told("hold", "our longest hold of a QMP socket was", "we held no QMP socket for more than 0.5 s")
    return f"All the while {stall}, and {hold}."


def with_section(page, name, text):
    """The page with the text between the marks of this name in place of what was there; at its end where there is none."""
    begin, end = f"<!-- campaign: {name} -->", f"<!-- end of {name} -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    found = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.S)
    if found.search(page):
        return found.sub(lambda _: section, page)
    return f"{page.rstrip()}\n\n{section}\n"


def faults_section(entries):
    rows = [row(name, entry["must"], seconds(entry["seconds"]), entry["back"], entry["result"])
            for name, entry in sorted(entries.items())]
    failed = sum(entry["result"] != "held" for entry in entries.values())
    return "\n".join([
        f"Each fault once, while three boards are in two VMs: {len(entries)} faults, {failed} of them broke a law. Both times count "
        f"from when its end begins (the power is given back, the VM is told to start), and every law is looked at every 2 s "
        f"or so. {days(entries)}", "",
        "| fault | boards must | s until every law held | s until the last board was back | the laws |",
        "|---|---|--:|--:|---|", *rows])


def steps_section(entries):
    hit = [entry for entry in entries.values() if entry["hit"]]
    rows = [row(name, {True: "yes", False: "no", None: "–"}[entry["hit"]], seconds(entry["seconds"]), entry["result"])
            for name, entry in sorted(entries.items())]
    return "\n".join([
        f"Each process killed (SIGKILL) right after each step of a plug and an unplug: {len(entries)} kills, {len(hit)} of them at "
        f"their step. {days(entries)}", "", "| killed | hit | s until every law held | the laws |", "|---|---|--:|---|", *rows])


def soak_section(entries):
    """All runs together, and of each what has grown and what the watch has seen."""
    runs = entries.values()
    times = collections.defaultdict(list)
    faults = collections.Counter()
    for entry in runs:
        faults.update(entry["faults"])
        for what, values in entry["times"].items():
            times[what] += values
    replugs, restarts = sum(entry["replugs"] for entry in runs), sum(entry["restarts"] for entry in runs)
    failed = [one_line(entry["failure"]) for entry in runs if entry["failure"]]
    blocks = [f"{sum(entry['turns'] for entry in runs):,} turns in {sum(entry['minutes'] for entry in runs):.0f} minutes: a board was "
              f"pulled and plugged in again {replugs:,} times, a VM stopped and started {restarts} times, beside {faults.total()} "
              f"faults by chance. Failures: {len(failed)}. {days(entries)}", "", *(f"* {text}" for text in failed),
              returns_table(times), "",
              "Faults: " + ", ".join(f"{name} {count}" for name, count in sorted(faults.items())) + "." if faults else "", ""]
    for name, entry in sorted(entries.items()):
        blocks += [f"{name[0].upper()}{name[1:]} ({entry['minutes']:.0f} minutes):", "", growth_table(entry["begin"], entry["end"]),
                   "", watch_line(entry["worst"]), ""]
    return "\n".join(blocks)


def row(*cells):
    return "| " + " | ".join(one_line(cell) for cell in cells) + " |"


def one_line(text):
    return " ".join(text.split()).replace("|", "/")[:300]


def seconds(value):
    return "–" if value is None else f"{value:.0f}"


def days(entries):
    seen = sorted({entry["day"] for entry in entries.values()})
    return f"Run on {seen[0]}." if len(seen) == 1 else f"Run from {seen[0]} to {seen[-1]}."


SECTIONS = {"faults": faults_section, "steps": steps_section, "soak": soak_section}
