# SPDX-License-Identifier: MIT
"""Modes on the Pi's disk: kept whatever ends the service, and all of one or all of the other where the disk is full or
the file is broken. The real service and command line; /sys is a small fake."""
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from host_world import DIES_WITH_US, wait
from idle import add_bound_boards
from pairing_world import Pi, machines  # noqa: F401 (a fixture)

PLACE = "platform-fe9c0000.xhci/1"


class ModesPi(Pi):
    """1-1 is a board that is exported."""

    def __init__(self):
        super().__init__()
        add_bound_boards(self.root / "sys", 1)
        self.state = self.root / "var/lib/longcord"
        self.state.mkdir(parents=True)

    def up(self):
        self.serve()
        wait(lambda: self.ask("devices")["devices"], self.text)
        return self

    def modes(self):
        return {entry["place"]: entry["mode"] for entry in json.loads((self.state / "modes.json").read_text())["places"]}

    def mode(self):
        (board,) = self.ask("devices")["devices"]
        return board["mode"]


@pytest.fixture
def pi(machines):  # noqa: F811
    machines.append(ModesPi())
    return machines[-1]


def test_a_mode_outlives_a_service_that_is_killed(pi):
    pi.up()
    assert pi.cli("mode", "1-1", "off").returncode == 0
    pi.process.send_signal(signal.SIGKILL)
    pi.process.wait()
    assert pi.modes() == {PLACE: "off"}
    pi.up()
    wait(lambda: pi.mode() == "off", pi.text)


def test_with_a_full_disk_a_mode_stays_as_it_was_there_and_in_force(pi):
    holder = subprocess.Popen([*DIES_WITH_US, "unshare", "-m", "sh", "-c",
                               f"mount -t tmpfs -o size=16k tmpfs {pi.state} && exec sleep infinity"])
    wait(lambda: Path(f"/proc/{holder.pid}/comm").read_text() == "sleep\n")
    command = pi.command
    pi.command = lambda: ["nsenter", "-t", str(holder.pid), "-m", *command()]
    pi.state = Path(f"/proc/{holder.pid}/root{pi.state}")
    try:
        pi.up()
        assert pi.cli("mode", "1-1", "off").returncode == 0
        filler = os.open(pi.state / "filler", os.O_WRONLY | os.O_CREAT)
        with pytest.raises(OSError, match="No space left"):
            while True:
                os.write(filler, bytes(1024))
        os.close(filler)
        done = pi.cli("mode", "1-1", "usbip")
        assert done.returncode == 1
        assert "modes.json" in done.stderr and "No space left on device" in done.stderr
        assert pi.modes() == {PLACE: "off"} and pi.mode() == "off"
        pi.stop()
        pi.up()
        wait(lambda: pi.mode() == "off", pi.text)
        (pi.state / "filler").unlink()
        assert pi.cli("mode", "1-1", "usbip").returncode == 0
        assert pi.modes() == {PLACE: "usbip"} and pi.mode() == "usbip"
    finally:
        pi.stop()
        holder.kill()
        holder.wait()


def test_a_broken_file_is_a_problem_and_is_kept_aside_when_modes_are_set_anew(pi):
    (pi.state / "modes.json").write_text("{ this was mine")
    pi.up()
    (problem,) = [each for each in pi.ask("status")["problems"] if "modes.json" in each]
    assert "no mode is set until it is mended, or set anew" in problem
    assert (pi.state / "modes.json").read_text() == "{ this was mine"
    assert pi.cli("mode", "1-1", "off").returncode == 0
    assert pi.modes() == {PLACE: "off"}
    assert (pi.state / "modes.json.broken").read_text() == "{ this was mine"
    assert not [each for each in pi.ask("status")["problems"] if "modes.json" in each]
