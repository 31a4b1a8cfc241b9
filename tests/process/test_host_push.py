# SPDX-License-Identifier: MIT
"""A Pi without our package: `ssh longcord@node connect 1-1.2`. longcord-link runs as sshd starts it; the Pi's
stock usbipd is played. (tests/lab/scenarios/pushed.py has the real one.)"""
import subprocess
import time

import pytest
from host_world import binary, wait
from played_pi import PlayedPi, device

DEVID = 1 << 16 | 3


@pytest.fixture
def node(idle_world, server):
    idle_world.config.write_text(
        f"node: pve1\npis:\n  bench:\n    address: \"127.0.0.1:{server.port}\"\n")
    idle_world.vhci.devices[DEVID] = {}
    idle_world.serve()
    return idle_world


def ssh(node, command, pi="bench", key=None):
    """As sshd runs it; `key`: the fingerprint of the key that logged in."""
    known = ["--key", key] if key else []
    return subprocess.run([binary("longcord-link"), "--pi", pi, *known], capture_output=True, text=True, timeout=60,
                          env={**node.environment(), "SSH_CONNECTION": "127.0.0.1 40022 127.0.0.1 22",
                               "SSH_ORIGINAL_COMMAND": command})


def test_connect_imports_and_says_what_became_of_it(node, server):
    node.rules(100, "bench\n")
    node.says("rules in force", kind="rules", vmid=100)
    told = ssh(node, "connect 1-1")
    assert "bench/1-1" in told.stdout + told.stderr
    node.says("import bench/1-1", kind="imported")
    assert node.device("bench/1-1")["stream"] == "direct"


def test_what_no_rule_wants_is_known_and_done(node):
    told = ssh(node, "connect 1-1")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == "bench/1-1 is unclaimed: no rule wants it\n"


def test_only_what_was_pushed_is_taken_of_all_that_the_server_lists(node, server):
    server.serve("2-1")
    assert ssh(node, "connect 1-1").returncode == 0
    assert node.device("bench/2-1") is None
    assert ssh(node, "connect 2-1").returncode == 0
    assert node.device("bench/1-1") and node.device("bench/2-1")


def test_disconnect_lets_go(node, server):
    node.rules(100, "bench\n")
    ssh(node, "connect 1-1")
    node.says("import bench/1-1", kind="imported")
    told = ssh(node, "disconnect 1-1")
    assert (told.returncode, told.stdout) == (0, "bench/1-1 is let go\n")
    wait(lambda: node.vhci.detached == [0])
    assert ssh(node, "disconnect 1-1").stdout == "bench/1-1 was not known here\n"


def test_a_busid_that_the_server_does_not_list_is_refused_with_what_to_do(node):
    told = ssh(node, "connect 7-1")
    assert told.returncode == 1 and told.stdout == ""
    assert "usbip bind -b 7-1" in told.stderr


def test_a_server_that_does_not_answer_is_told(node, server):
    server.close()
    told = ssh(node, "connect 1-1")
    assert told.returncode == 1 and "refused" in told.stderr


@pytest.mark.parametrize("command", ["id", "connect", "connect ../x", "connect 1-1; id", "scp -t /tmp", "\x1b[2J"])
def test_everything_else_is_refused_and_says_what_can_be_said(node, command):
    told = ssh(node, command)
    assert told.returncode == 1 and told.stdout == ""
    assert "connect BUSID" in told.stderr and "\x1b" not in told.stderr


def test_a_pi_with_our_package_tells_of_its_devices_itself(node):
    pi = PlayedPi(node, "workbench", [device("1-1")])
    wait(lambda: node.pi("workbench"))
    told = ssh(node, "connect 1-1", pi="workbench")
    assert told.returncode == 1 and "is linked by longcord-pi" in told.stderr
    pi.close()


def test_what_was_pushed_is_there_again_after_a_restart(node, server):
    node.rules(100, "bench\n")
    ssh(node, "connect 1-1")
    node.says("import bench/1-1", kind="imported")
    node.crash()
    node.serve()
    wait(lambda: node.device("bench/1-1"))
    assert node.vhci.detached == [] and len(node.vhci.attached) == 1


def paired(node, tmp_path, name="bench", number=1):
    """A key on the node as `longcord pair NAME --key FILE` leaves it; its fingerprint."""
    file = tmp_path / f"{name}{number}"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    folder = node.pve / "priv/longcord/pis"
    folder.mkdir(parents=True, exist_ok=True)
    new = folder.parent / "new"
    new.write_text(" ".join(file.with_suffix(".pub").read_text().split()[:2]) + "\n")
    new.rename(folder / name)
    return subprocess.run(["ssh-keygen", "-lf", file.with_suffix(".pub")], capture_output=True, text=True).stdout.split()[1]


def pushed_and_imported(node, key):
    node.rules(100, "bench\n")
    ssh(node, "connect 1-1", key=key)
    node.says("import bench/1-1", kind="imported")


def test_unpair_takes_back_what_was_pushed(node, server, tmp_path):
    pushed_and_imported(node, paired(node, tmp_path))
    assert node.cli("unpair", "bench").returncode == 0
    wait(lambda: node.vhci.detached == [0], node.events)
    wait(lambda: node.device("bench/1-1") is None and node.pi("bench") is None, node.events)


def test_unpair_on_another_node_does_so_too_within_five_seconds(node, server, tmp_path):
    pushed_and_imported(node, paired(node, tmp_path))
    began = time.monotonic()
    (node.pve / "priv/longcord/pis/bench").unlink()  # as pmxcfs shows it here
    wait(lambda: node.vhci.detached == [0], node.events)
    assert time.monotonic() - began < 5
    node.says("not paired any more: what it pushed is let go", kind="unlinked", pi="bench")
    wait(lambda: node.device("bench/1-1") is None and node.pi("bench") is None, node.events)


def test_and_after_a_restart_if_it_was_unpaired_meanwhile(node, server, tmp_path):
    pushed_and_imported(node, paired(node, tmp_path))
    node.stop()
    (node.pve / "priv/longcord/pis/bench").unlink()
    node.serve()
    wait(lambda: node.vhci.detached == [0], node.events)
    wait(lambda: node.device("bench/1-1") is None, node.events)


def test_a_key_that_another_replaced_takes_its_pushes_along(node, server, tmp_path):
    pushed_and_imported(node, paired(node, tmp_path))
    other = paired(node, tmp_path, number=2)
    wait(lambda: node.vhci.detached == [0], node.events)
    node.says("another key has taken its place", kind="unlinked", pi="bench")
    told = ssh(node, "connect 1-1", key=other)
    assert "bench/1-1" in told.stdout + told.stderr
    wait(lambda: len(node.vhci.attached) == 2)


def test_a_pi_that_stays_paired_keeps_what_it_pushed(node, server, tmp_path):
    pushed_and_imported(node, paired(node, tmp_path))
    paired(node, tmp_path, name="broken")
    (node.pve / "priv/longcord/pis/broken").write_text("no key\n")
    node.says("broken: ignored", kind="problem")  # so it was looked at
    assert node.vhci.detached == [] and node.device("bench/1-1")


def test_without_the_service_it_ends_and_says_so(node):
    node.stop()
    told = ssh(node, "connect 1-1")
    assert told.returncode == 1 and "longcord-host does not run" in told.stderr
