# SPDX-License-Identifier: MIT
"""`systemctl reload longcord-host`: host.yaml is read anew, each key counts from then on, and a file with a
mistake changes nothing and is told until it is mended."""
import signal

from host_world import wait
from played_pi import PlayedPi, device

USUAL = "node: pve1\n"


def reload(world, text):
    world.config.write_text(text)
    world.process.send_signal(signal.SIGHUP)


def problems(world):
    return " ".join(world.ask("status")["problems"])


def welcomes(pi):
    return [(message["node"], message["dead_after_ms"]) for message in pi.answers("welcome")]


def linked(world, name):
    """A Pi of that name, once it was welcomed."""
    pi = PlayedPi(world, name, [device("1-1")])
    wait(lambda: welcomes(pi))
    return pi


def test_a_mistake_changes_nothing_and_is_told_until_it_is_mended(world):
    reload(world, "node: pve9\ndead_aftr: 3s\n")
    told = f"{world.config}:2: unknown key 'dead_aftr'"
    world.says(told, kind="problem")
    assert told in problems(world) and "stays in force" in problems(world)
    status = world.cli("status")
    assert status.returncode == 5 and "dead_aftr" in status.stdout
    assert world.ask("status")["node"] == "pve1"
    reload(world, "node: [\n")
    wait(lambda: "dead_aftr" not in problems(world) and str(world.config) in problems(world))
    reload(world, "node: pve9\n")
    wait(lambda: world.ask("status")["node"] == "pve9")
    assert str(world.config) not in problems(world)


def test_a_file_that_is_gone_is_one_of_defaults(world):
    world.config.unlink()
    world.process.send_signal(signal.SIGHUP)
    wait(lambda: world.ask("status")["node"] != "pve1")
    assert problems(world).find(str(world.config)) < 0


def test_what_is_ignored_is_said_again(world):
    for times in (1, 2):
        reload(world, USUAL + "virtual_machines:\n  w: { socket: /tmp/none, delay: 5, ports: [ 3-9 ] }\n")
        wait(lambda: len([event for event in world.events(kind="problem")
                          if "'delay' of 'w' is ignored" in event["message"]]) == times)


def test_new_times_count_at_once_each_pi_its_own(world):
    before = linked(world, "before")
    assert welcomes(before) == [("pve1", 3000)]
    reload(world, "node: pve2\ndead_after: 4s\npis:\n  slow: { dead_after: 10s }\n")
    wait(lambda: world.ask("status")["node"] == "pve2")
    usual, slow = linked(world, "usual"), linked(world, "slow")
    assert welcomes(usual) == [("pve2", 4000)]
    assert welcomes(slow) == [("pve2", 10000)]
    wait(lambda: welcomes(before) == [("pve1", 3000), ("pve2", 4000)])
    for pi in (before, usual, slow):
        pi.close()


def test_the_address_of_a_pi_counts_at_once_and_is_its_own_again_when_it_is_taken_out(world):
    pi = linked(world, "workbench")
    assert world.pi("workbench")["address"] == "127.0.0.1"
    reload(world, USUAL + "pis:\n  workbench: { address: \"127.0.0.9:3999\" }\n")
    wait(lambda: world.pi("workbench")["address"] == "127.0.0.9")
    again = linked(world, "workbench")
    assert world.pi("workbench")["address"] == "127.0.0.9"
    reload(world, USUAL)
    wait(lambda: world.pi("workbench")["address"] == "127.0.0.1")
    for link in (pi, again):
        link.close()


def test_foreign_imports_are_refused_and_let_in_as_it_says(world):
    folder = world.vhci.hub(5)
    reload(world, USUAL + "foreign_imports: refuse\nvirtual_machines: { w: { socket: /tmp/none, delay: 1 } }\n")
    world.says("is ignored", kind="problem")  # it has read the file
    world.vhci.attach_by_hand(port=1, devid=9 << 16 | 9)
    wait(lambda: "attached by somebody else" in world.ask("explain", place="5-2")["outcome"])
    world.local.plug("3-9", devnum=9)
    wait(lambda: world.device("3-9"))  # and what came later was looked at, too
    assert (folder / "5-2/authorized").read_text() == "0\n"
    (world.root / "sys/bus/usb/drivers_probe").write_text("")
    reload(world, USUAL)
    wait(lambda: (folder / "5-2/authorized").read_text() == "1\n")
    world.says("5-2 was attached by somebody else: authorised as usual", kind="problem")
    assert (folder / "5-2/5-2:1.1/authorized").read_text() == "1\n"
    assert (world.root / "sys/bus/usb/drivers_probe").read_text() == "5-2:1.1"  # the last that was written
    assert world.vhci.detached == []  # and it is nobody's of ours


def test_how_much_is_logged(world):
    reload(world, "node: pve2\nlog_level: error\n")
    wait(lambda: world.ask("status")["node"] == "pve2")
    world.rules(100, "3-9\n")
    world.says("1 rules in force", vmid=100)
    assert "1 rules in force" not in world.log.read_text()
    reload(world, USUAL)
    wait(lambda: world.ask("status")["node"] == "pve1")
    world.rules(100, "3-9\n3-8\n")
    wait(lambda: "2 rules in force" in world.log.read_text())
