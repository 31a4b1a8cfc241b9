# SPDX-License-Identifier: MIT
"""The journal: one entry for each thing done, with fields for what it is about, and none while nothing happens."""
import signal

import pytest
from host_world import wait
from idle import add_bound_boards, wake_ups
from pairing_world import Pi
from played_journal import Journal, stderr_is
from played_pi import PlayedPi, device


@pytest.fixture
def journal(idle_world):
    played = Journal(idle_world)
    yield played
    played.close()


@pytest.fixture
def node(idle_world, journal):
    """longcord-host, with a board in port 3-4 that no rule wants."""
    idle_world.local.plug("3-4", devnum=7)
    idle_world.serve()
    wait(lambda: idle_world.device("3-4"))
    return idle_world


def test_entries_of_a_node_have_vm_place_and_pi(node, journal):
    node.rules(100, "3-4\n")  # QEMU finds no such node to open: a failure is what can be seen here
    failed = wait(lambda: journal.about(VM="100", PLACE="3-4", EVENT="failed"))[0]
    assert failed["PRIORITY"] == "4" and int(failed["LONGCORD_TOOK_MS"]) >= 0
    assert failed["SYSLOG_IDENTIFIER"] == "longcord-host"
    assert failed["MESSAGE"].startswith("3-4: ") and "failed" in failed["MESSAGE"]
    pi = PlayedPi(node, "workbench", [device("1-1.2")])
    linked = wait(lambda: journal.about(PI="workbench", EVENT="linked"))[0]
    assert linked["PRIORITY"] == "6"
    assert "LONGCORD_VM" not in linked and "LONGCORD_PLACE" not in linked
    wait(lambda: journal.about(PI="workbench", PLACE="workbench/1-1.2"))
    pi.close()
    assert node.log.read_text() == ""  # nothing is said twice


def test_each_event_is_one_entry(node, journal):
    node.rules(100, "3-4\n")
    node.rules(101, "nonsense line\n")
    wait(lambda: node.events(kind="rules-error"))

    def the_same():
        events = node.ask("events")["events"]
        entries = [entry for entry in list(journal.entries) if "LONGCORD_EVENT" in entry]
        # What happened while we asked is in one of them only.
        seen = [(event["kind"], event["place"], event["vmid"] and str(event["vmid"])) for event in events]
        told = [(entry["LONGCORD_EVENT"], entry.get("LONGCORD_PLACE"), entry.get("LONGCORD_VM")) for entry in entries]
        return seen and seen == told
    wait(the_same, lambda: journal.entries)


def settled(ask, process, journal):
    """Waits until it has woken up many times and said nothing meanwhile."""
    def quiet():
        said, woken = len(journal.entries), wake_ups(process.pid)
        wait(lambda: ask("status") and ask("devices") and wake_ups(process.pid) > woken + 200)
        return len(journal.entries) == said
    wait(quiet, lambda: journal.entries[-5:])
    # And once more: quiet was no pause between two things said.
    assert quiet(), journal.entries[-5:]


def test_a_node_says_nothing_while_nothing_happens(node, journal):
    pi = PlayedPi(node, "workbench", [device("1-1.2")])
    wait(lambda: node.device("workbench/1-1.2"))
    settled(node.ask, node.process, journal)
    pi.close()


def test_a_pi_says_what_it_does_and_nothing_while_nothing_happens():
    pi = Pi()
    journal = Journal(pi)
    try:
        add_bound_boards(pi.root / "sys", 2)
        pi.serve()
        announced = wait(lambda: journal.about(PLACE="1-1", EVENT="announced"))[0]
        assert announced["SYSLOG_IDENTIFIER"] == "longcord-pi" and announced["PRIORITY"] == "6"
        settled(pi.ask, pi.process, journal)
        assert pi.cli("mode", "1-1", "off").returncode == 0
        wait(lambda: journal.about(PLACE="1-1", EVENT="gone"))
    finally:
        journal.close()
        pi.close()


def test_without_a_journald_each_entry_is_a_line_with_its_priority(idle_world):
    """It is being upgraded, or is stuck: systemd reads the lines of stderr later."""
    environment = {**idle_world.environment(), **stderr_is(idle_world.log)}
    idle_world.environment = lambda: environment
    idle_world.serve()
    lines = idle_world.log.read_text().splitlines()
    assert lines and all(line[0] == "<" and line[2] == ">" for line in lines)
    assert any(line.startswith("<6>longcord-host ") for line in lines)


def test_somewhere_else_than_in_the_journal_lines_have_a_time(world):
    world.says("no rule wants it", kind="unclaimed", place="3-4")
    assert all(line[2] == ":" and not line.startswith("<") for line in world.log.read_text().splitlines())


def test_the_log_level_changes_while_the_service_runs(node, journal):
    assert node.cli("log-level").stdout == "info, as configured\n"
    done = node.cli("log-level", "warn")
    assert done.returncode == 0 and done.stdout == "warn until the service is started or reloaded; configured: info\n"
    wait(lambda: journal.about(MESSAGE="the log level is warn from now on"))
    node.local.plug("3-5", devnum=8)  # in the events, but not in the journal
    node.says("", place="3-5")
    assert not journal.about(PLACE="3-5")
    node.process.send_signal(signal.SIGHUP)
    wait(lambda: node.cli("log-level").stdout == "info, as configured\n")
    node.local.plug("3-6", devnum=9)
    wait(lambda: journal.about(PLACE="3-6"))


def test_debugging_tells_more(node, journal):
    assert node.cli("log-level", "debug").returncode == 0
    assert node.ask("log-level") == {"level": "debug", "configured": "info"}
    wait(lambda: journal.about(MESSAGE="the log level is debug from now on"))


def test_a_word_that_is_no_level_is_a_usage_error(node):
    done = node.cli("log-level", "loud")
    assert done.returncode == 2 and "loud" in done.stderr
    assert node.ask("log-level")["level"] == "info"
