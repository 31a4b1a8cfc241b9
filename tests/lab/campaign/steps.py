# SPDX-License-Identifier: MIT
"""Each of our processes is killed right after each step of a plug and of an unplug. Which steps there are is what the
two event logs say of a plug and an unplug that nobody disturbs."""

from campaign import plan
from campaign.faults.processes import HOST, LINK, PI
from campaign.run import QUIET_BOUND
from campaign.stage import FIRST

PROCESSES = {name: where for where, name in (HOST, PI, LINK)}
SOCKETS = {"node": "/run/longcord/host.sock", "pi": "/run/longcord/pi.sock"}
BOARD = FIRST.name
PORT = 3998
LAST_EVENT = 5   # seconds


def places(stage):
    """What each log calls the board's place."""
    place = stage.lab.pi.place(FIRST)
    return {"node": place, "pi": place.split("/")[1]}


def record(stage):
    """The steps of one unplug and one plug."""
    found, where = [], places(stage)
    logs = {"node": stage.lab.node, "pi": stage.lab.pi}
    for act, do in (("unplug", stage.unplug), ("plug", stage.plug)):
        before = {role: last(stage, machine) for role, machine in logs.items()}
        do(BOARD)
        stage.come_to_rest(QUIET_BOUND)
        for role, machine in logs.items():
            found += plan.steps(role, act, [event for event in events_of(stage, machine)
                                            if event["seq"] > before[role] and event["place"] == where[role]])
    return found


def events_of(stage, machine):
    return stage.longcord.cli("events", machine=None if machine is stage.lab.node else machine)["events"]


def last(stage, machine):
    return max((event["seq"] for event in events_of(stage, machine)), default=0)


def live(stage, kill, bound):
    """Returns (was it hit, seconds until everything was there again)."""
    if (kill.step.act == "plug") == (BOARD in stage.plugged):
        (stage.unplug if kill.step.act == "plug" else stage.plug)(BOARD)
        stage.come_to_rest(bound)
    arm(stage, kill)
    (stage.plug if kill.step.act == "plug" else stage.unplug)(BOARD)
    took = stage.come_to_rest(bound).well
    watched = stage.machine(kill.step.machine)
    # The last event may come when all is at rest already.
    until_hit = f"timeout {LAST_EVENT} sh -c 'until grep -q hit /run/lab-kill-at; do sleep 0.1; done'"
    hit = watched.run(until_hit, check=False).returncode == 0
    took = took + stage.come_to_rest(bound).well if hit else took
    stage.lab.node.run("systemctl stop lab-kill-at lab-kill-told 2>/dev/null; true")
    stage.lab.pi.run("systemctl stop lab-kill-at lab-kill-told 2>/dev/null; true")
    return hit, took


def arm(stage, kill):
    """The process may be on the other machine, which is told by a datagram."""
    victim, watched = PROCESSES[kill.process], kill.step.machine
    target = f"kill:{kill.process}"
    if victim != watched:
        run_unit(stage.machine(victim), "lab-kill-told", f"lab-kill-at told {PORT} {target}", "/run/lab-kill-told")
        target = f"tell:{stage.machine(victim).address}:{PORT}"
    run_unit(stage.machine(watched), "lab-kill-at",
             f"lab-kill-at event {SOCKETS[watched]} {kill.step.kind} {places(stage)[watched]} {target}", "/run/lab-kill-at")


def run_unit(machine, unit, line, ready):
    machine.run(f"systemctl stop {unit} 2>/dev/null; rm -f {ready}; systemd-run --quiet --collect --unit={unit} {line}; "
                f"timeout 60 sh -c 'until [ -s {ready} ]; do sleep 0.05; done'")
