# SPDX-License-Identifier: MIT
"""Faults of every kind, and the laws that hold all the same: as the kernels, QEMU and the guests say, never Longcord.
A short form here; all of it by tests/run lab --campaign [--seed N] [--turns N] [--minutes N]."""

import itertools
import random
import time

import pytest

from campaign import figures, fault, plan, run, steps
from campaign.book import Book
from campaign.stage import PI_YAML, Stage
from lab import artifacts
from lab.longcord import Longcord, pi_yaml
from lab.progress import say

FAULTS = fault.everything()
SHORT = ("cable cut", "longcord-host killed", "rules file half written")
STEP_BOUND = 60


@pytest.fixture(scope="module")
def played(installed_lab):
    """Two VMs with three boards, for all that follows: a start of them is most of a scenario's time."""
    lab = installed_lab
    lab.reset()
    usual = pi_yaml(*lab.nodes())
    lab.pi.put(usual + PI_YAML, "/etc/longcord/pi.yaml")
    lab.pi.run("systemctl reload longcord-pi")
    longcord = Longcord(lab)
    longcord.wait_linked()
    stage = Stage(lab, longcord)
    stage.set_up()
    yield stage
    stage.eyes.close()
    lab.pi.put(usual, "/etc/longcord/pi.yaml")
    lab.pi.run("systemctl reload longcord-pi")
    lab.reset()
    lab.node.vm(101).stop()


@pytest.fixture
def stage(played, request):
    """At rest. After a failure its evidence is kept, and all is put up anew."""
    played.random = random.Random(request.config.getoption("--seed"))
    played.come_to_rest(run.QUIET_BOUND)
    yield played
    if getattr(request.node, "failed", None):
        artifacts.keep(played.lab, request.node.name, request.node.failed)
        played.set_up_anew()


@pytest.fixture(scope="module")
def book(request):
    book = Book()
    yield book
    if request.config.getoption("--page"):
        book.to_page()


@pytest.mark.parametrize("name", SHORT)
def test_a_fault_of_each_kind_breaks_no_law(stage, name):
    rest, stayed = run.fault_at_rest(stage, FAULTS[name])
    say(f"{name}: {rest}, {'all stayed' if stayed else 'devices went and came back'}")


@pytest.mark.campaign
@pytest.mark.parametrize("name", FAULTS)
def test_every_fault(stage, book, name):
    must = "stay" if FAULTS[name].keeps else f"be back within {FAULTS[name].back_within} s"
    try:
        rest, stayed = run.fault_at_rest(stage, FAULTS[name])
    except Exception as error:
        book.put("faults", name, must=must, seconds=None, back="–", result=str(error))
        raise
    back = "stayed" if stayed else figures.seconds(rest.returned) if rest.returned else "before its end"
    book.put("faults", name, must=must, seconds=rest.well, back=back, result="held")


@pytest.mark.campaign
def test_each_process_is_killed_at_each_step(stage, book, request):
    begun, minutes = time.monotonic(), request.config.getoption("--minutes")
    everything = plan.kills(steps.record(stage), steps.PROCESSES)
    first = request.config.getoption("--first")
    failed = []
    for number, kill in enumerate(everything[first:], first):
        if minutes and time.monotonic() - begun > minutes * 60:
            say(f"{len(everything) - number} kills are left: --first {number}")
            break
        say(f"{number} of {len(everything)}: {kill}")
        try:
            hit, took = steps.live(stage, kill, STEP_BOUND)
            book.put("steps", str(kill), hit=hit, seconds=took, result="held")
        except Exception as error:
            failed.append(f"{kill}: {error}")
            book.put("steps", str(kill), hit=None, seconds=None, result=str(error))
            stage.set_up_anew()
    assert not failed, "\n".join(failed)


@pytest.mark.campaign
def test_soak(stage, book, request):
    option = request.config.getoption
    seed, first, count = option("--seed"), option("--first"), option("--turns")
    say(f"--seed {seed} --first {first}")
    numbers = itertools.count(first) if count is None else range(first, first + count)
    begin, begun = stage.figures(), time.monotonic()
    stage.worst.clear()
    done, lived, failure = run.soak(stage, FAULTS, seed, numbers, option("--minutes"))
    entry = dict(minutes=(time.monotonic() - begun) / 60, turns=done, replugs=lived.replugs, restarts=lived.restarts,
                 faults=lived.seen, failure=failure, times=lived.times, begin=begin, end=stage.figures(), worst=stage.worst)
    book.put("soak", f"seed {seed}, from turn {first} on", **entry)
    say("\n" + figures.soak_section({f"seed {seed}": {"day": "today", **entry}}))
    assert failure is None, failure
    assert done, "no turn was lived through"
