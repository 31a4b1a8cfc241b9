# SPDX-License-Identifier: MIT
"""The lab's campaign, as far as it only thinks: each law notices that it is broken, a seed always gives the same plan,
and the figures are what they say."""

import dataclasses
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from campaign import figures, laws, plan  # noqa: E402
from campaign.laws import Terms, Wish, judge  # noqa: E402
from campaign.view import Import, Plug, Process, View  # noqa: E402

NODE = "/dev/bus/usb/005/002"
IMPORT = Import(port=0, busid="5-1", ids="1a86:55d4", serial="A1", node=NODE, drivers=("usbfs",), openers=(100,))
HOST = Process("longcord-host", "node", 400, "active", 9000, 40)
PI = Process("longcord-pi", "pi", 300, "active", 8000, 30)
GOOD = View(time=100.0, seen=frozenset({"pi", "node"}), imports=(IMPORT,), plugs=(Plug(100, "usbhost-workbench-3-1", NODE),),
            monitors={100: "running", 101: "running"}, processes=(HOST, PI), guests={100: {"A1"}, 101: set()})
TERMS = Terms(wishes=(Wish("A1", 100, since=90.0, bound=30.0),), foreign=frozenset({"0483:5740"}),
              first={("longcord-host", 400): HOST, ("longcord-pi", 300): PI})
STALL = {"kind": "stall", "vmid": 100, "seconds": 5.0, "before": "running", "excuse": None, "late": 0.0}
HOLD = {"kind": "hold", "vmid": 100, "who": "longcord-host", "seconds": 1.5, "late": 0.0}


def seen(**changes):
    return dataclasses.replace(GOOD, **changes)


def imported(**changes):
    return seen(imports=(dataclasses.replace(IMPORT, **changes),))


def grown(**changes):
    return seen(processes=(dataclasses.replace(HOST, **changes), PI))


def test_what_is_good_is_good():
    assert judge(GOOD, TERMS).good


@pytest.mark.parametrize("view, word", [
    (imported(openers=(100, 101)), "is open in VMs [100, 101]"),
    (seen(notes=({"kind": "shared", "node": NODE, "vmids": [100, 101]},)), "was open in VMs"),
    (imported(drivers=("cdc_acm",)), "cdc_acm has the imported"),
    (seen(notes=({"kind": "driver", "driver": "usbhid", "ids": "046d:c31c"},)), "usbhid had the imported"),
    (seen(notes=(STALL,)), "silent for 5.0 s"),
    (seen(notes=(HOLD,)), "held the QMP socket of VM 100 for 1.50 s"),
    (seen(time=121.0, guests={100: set(), 101: set()}), "misses A1 for 31 s"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_must_never_be_is_noticed(view, word):
    assert any(word in breach for breach in judge(view, TERMS).broken)


@pytest.mark.parametrize("view, word", [
    (seen(seen=frozenset({"node"})), "pi does not answer"),
    (seen(monitors={100: None, 101: "running"}), "monitor of VM 100 gave no answer"),
    (imported(openers=()), "no VM has it open"),
    (imported(busid="", ids="", serial="", node="", openers=()), "no VM has it open"),
    (seen(imports=()), "which is gone"),
    (seen(plugs=(Plug(100, "usbhost-workbench-3-1", NODE, attached=False),)), "is not attached"),
    (seen(guests={100: set(), 101: set()}), "misses A1"),
    (seen(guests={100: {"A1"}, 101: {"A1"}}), "guest 101 has A1, which is not its own"),
    (seen(processes=(PI,)), "longcord-host is not up"),
    (grown(unit="failed", pid=0), "longcord-host is not up: failed"),
    (grown(rss_kib=HOST.rss_kib + laws.RSS_ALLOWANCE_KIB + 1), "has grown from 9000"),
    (grown(fds=HOST.fds + laws.FDS_ALLOWANCE + 1), "had 40 descriptors"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_has_to_come_to_rest_is_noticed_until_it_has(view, word):
    verdict = judge(view, TERMS)
    assert any(word in breach for breach in verdict.unsettled) and not verdict.broken


@pytest.mark.parametrize("view", [
    seen(notes=({**STALL, "seconds": 4.0},)),                      # as long as it may be
    seen(notes=({**STALL, "before": None},)),                      # it was only starting
    seen(notes=({**STALL, "excuse": "python3 has it"},)),          # somebody else's doing
    seen(notes=({**STALL, "late": 1.5},)),                         # the whole machine stood still
    seen(notes=({**HOLD, "who": "sshd"},)),
    seen(notes=({**HOLD, "seconds": 1.0},)),
    seen(imports=(IMPORT, Import(1, "5-2", "0483:5740", "S3", "/dev/bus/usb/005/003", ("cdc_acm",)))),   # a foreign attach
    seen(notes=({"kind": "driver", "driver": "cdc_acm", "ids": "0483:5740"},)),
    seen(plugs=(*GOOD.plugs, Plug(100, "usbhost1-1", "/dev/bus/usb/001/004")), local=frozenset({"/dev/bus/usb/001/004"})),
    grown(pid=401, rss_kib=90000, fds=90),                         # another process: it is measured anew
    grown(fds=HOST.fds + laws.FDS_ALLOWANCE, rss_kib=HOST.rss_kib + laws.RSS_ALLOWANCE_KIB),
])
def test_what_is_nobodys_fault_is_not_noticed(view):
    assert judge(view, TERMS).good


def test_every_law_is_broken_somewhere_above():
    """A law that no view here breaks might never notice anything."""
    broken = set()
    for test in (test_what_must_never_be_is_noticed, test_what_has_to_come_to_rest_is_noticed_until_it_has):
        for view, _ in test.pytestmark[0].args[1]:
            broken |= {law for law in (*laws.ALWAYS, *laws.AT_REST) if list(law(view, TERMS))}
    assert broken == {*laws.ALWAYS, *laws.AT_REST}


# --- which fault comes when

BOARDS, VMIDS, FAULTS = ["first", "second"], [100, 101], {"cable cut": 1, "power cut": 8}


def test_a_turn_depends_on_its_seed_and_number_only():
    there = [plan.turn(7, number, BOARDS, VMIDS, FAULTS) for number in range(200)]
    other_way_round = {name: FAULTS[name] for name in reversed(FAULTS)}
    assert there == [plan.turn(7, number, BOARDS[::-1], VMIDS[::-1], other_way_round) for number in range(200)]
    assert plan.turn(7, 150, BOARDS, VMIDS, FAULTS) == there[150]
    assert there != [plan.turn(8, number, BOARDS, VMIDS, FAULTS) for number in range(200)]
    assert plan.chance(7, 3).random() == plan.chance(7, 3).random()


def test_all_that_may_come_comes_and_the_rough_ones_seldom():
    many = [plan.turn(1, number, BOARDS, VMIDS, FAULTS) for number in range(4000)]
    assert {(turn.act, turn.moment) for turn in many if turn.fault} == {
        ("replug", "rest"), ("replug", "leaving"), ("replug", "coming"), ("restart", "rest"), ("restart", "leaving")}
    assert {turn.targets for turn in many} == {("first",), ("second",), ("first", "second"), (100,), (101,)}
    counts = {name: sum(turn.fault == name for turn in many) for name in FAULTS}
    assert 4 < counts["cable cut"] / counts["power cut"] < 16
    assert 0.2 < sum(counts.values()) / len(many) < 0.3
    assert not any(plan.turn(1, number, BOARDS, VMIDS, {}).fault for number in range(100))


def test_every_process_is_killed_once_at_each_kind_of_event():
    log = [{"kind": kind} for kind in ("added", "imported", "in-place", "plugged", "in-place")]
    found = plan.steps("node", "plug", log)
    assert [step.kind for step in found] == ["added", "imported", "in-place", "plugged"]
    assert len(plan.kills(found, ["longcord-host", "longcord-pi"])) == 8


# --- the figures

def test_percentiles_are_values_that_were_measured():
    hundred = [float(number) for number in range(1, 101)]
    assert (figures.percentile(hundred, 0.5), figures.percentile(hundred, 0.99)) == (50.0, 99.0)
    assert (figures.percentile([3.0], 0.5), figures.percentile([3.0, 1.0], 0.99)) == (3.0, 3.0)


def test_a_section_is_written_once_and_then_in_its_place():
    page = figures.with_section("# Under fault\n", "soak", "ten cycles")
    both = figures.with_section(page, "faults", "two faults")
    again = figures.with_section(both, "soak", "a thousand \\1 cycles")
    assert "ten cycles" not in again and "a thousand \\1 cycles" in again and again.count("campaign: soak") == 1
    assert again.index("a thousand") < again.index("two faults")


def test_a_service_that_was_killed_meanwhile_is_said_to_be_another_process():
    begin = [{"name": "longcord-host", "pid": 1, "rss_kib": 9000, "fds": 40}]
    end = [{"name": "longcord-host", "pid": 2, "rss_kib": 9100, "fds": 41}]
    assert "(another process) | 9,000 | 9,100 | 40 | 41 |" in figures.growth_table(begin, end)
    assert "another" not in figures.growth_table(begin, begin)


def test_runs_of_one_soak_are_added_up_and_a_failure_stands_first():
    run = {"day": "2026-11-30", "minutes": 30.0, "turns": 200, "replugs": 400, "restarts": 40, "faults": {"cable cut": 3},
           "failure": None, "times": {"plug": [2.0, 3.0]}, "begin": [], "end": [], "worst": {}}
    text = figures.soak_section({"seed 7, from turn 0 on": run, "seed 7, from turn 200 on": {**run, "times": {"plug": [9.0]}}})
    assert "400 turns in 60 minutes: a board was pulled and plugged in again 800 times, a VM stopped and started 80 times" in text
    assert "6 faults by chance. Failures: 0." in text and "cable cut 6" in text
    assert "| plug | 3 | 3.0 | 9.0 | 9.0 |" in text
    assert "Failures: 1." in (failed := figures.soak_section({"seed 7": {**run, "failure": "turn 3: a | b"}}))
    assert "* turn 3: a / b" in failed
