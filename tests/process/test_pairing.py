# SPDX-License-Identifier: MIT
"""pair, join, unpair, leave: real longcord-host, longcord-pi, longcord, longcord-link, longcord-keys
and sshd, and nothing that stands in."""
import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from host_world import binary, wait
from pairing_world import Node, Pi, free_port, machines, node, pi  # noqa: F401 (fixtures)


def test_one_line_on_the_pi_and_it_is_linked(node, pi):
    before = pi.cli("status")
    assert "longcord pair NAME" in before.stdout and before.returncode == 5
    said = pi.join(node.pair("workbench"))
    assert f"trying pve1 at 127.0.0.1, port {node.port}" in said
    assert 'this Pi is "workbench" of pve1 from now on' in said
    assert "linked with" in said
    row = node.pis()["workbench"]
    assert row["linked"] and row["address"] == "127.0.0.1"
    # The key is the Pi's own: made there, for root's eyes, and what the node has is its public half.
    assert pi.key().stat().st_mode & 0o777 == 0o600
    public = subprocess.run(["ssh-keygen", "-y", "-f", pi.key()], capture_output=True, text=True).stdout
    held = (node.root / "etc/longcord/pis/workbench").read_text()
    assert held.split()[:2] == public.split()[:2]
    assert list((node.root / "etc/longcord/pairing").glob("*.used"))
    link = pi.links()["pve1"]
    assert link["joined"] and link["since_s"] >= 0 and link["rtt_ms"] >= 0
    assert "pve1" in pi.cli("status").stdout
    # What it joined is kept: both start anew, and the link comes back.
    pi.stop()
    pi.serve()
    pi.wait_links("pve1")


def test_the_token_alone_is_on_stdout_and_says_how_long(node):
    done = node.cli("pair", "workbench", "--address", "127.0.0.1")
    assert len(done.stdout.splitlines()) == 1
    assert "good once, for 10 minutes" in done.stderr
    reply = json.loads(node.cli("pair", "workbench", "--json").stdout)
    assert reply["expires_s"] == 600 and reply["nodes"] == ["pve1"]
    assert [row["name"] for row in node.ask("pis")["pending"]] == ["workbench"]  # the second replaced the first
    # The seed is nowhere on the node.
    held = [file.read_text() for file in (node.root / "etc/longcord/pairing").iterdir()]
    assert held and all("ssh-ed25519 AAAA" in text for text in held)


def test_a_token_is_good_once_and_its_second_use_is_reported(node, pi, machines):
    token = node.pair("workbench")
    pi.join(token)
    thief = Pi()
    machines.append(thief)
    thief.serve()
    done = thief.cli("join", token)
    assert done.returncode == 4
    assert "this token was used before" in done.stderr
    event = node.says("was used again from 127.0.0.1", "token-refused")
    assert "if that was not you: longcord unpair workbench" in event["message"]
    assert node.pis()["workbench"]["linked"]
    assert not thief.ask("status")["links"]
    # Five times, and sshd does not know the key any more.
    for _ in range(4):
        assert thief.cli("join", token).returncode == 4
    done = thief.cli("join", token)
    assert done.returncode == 4 and "not good there" in done.stderr
    assert node.pis()["workbench"]["linked"]


def test_a_wrong_host_key_is_refused_with_both_fingerprints(node, pi, machines):
    token = node.pair("workbench")
    impostor = Node(port=node.port, address="127.0.0.1")
    machines.append(impostor)
    node.stop_sshd()
    impostor.up()
    done = pi.cli("join", token)
    assert done.returncode == 4
    assert "wrong host key" in done.stderr
    assert impostor.fingerprint() in done.stderr and node.fingerprint() in done.stderr
    assert "Accepted" not in impostor.sshd_log() and "publickey" not in impostor.sshd_log()
    impostor.stop_sshd()
    node.start_sshd()
    pi.join(token)  # it was not used up


def test_tokens_that_are_broken_say_so_without_a_network(pi, node):
    token = node.pair("workbench")
    for bad, why in (("x", "is not whole"), (token[:-1], "the token"), (token[1:], "the token"),
                     (token[:40] + ("A" if token[40] != "A" else "B") + token[41:], "checksum")):
        done = pi.cli("join", bad)
        assert done.returncode == 2 and why in done.stderr, done.stderr
        assert token[10:30] not in done.stderr + pi.text()
    assert not pi.key().exists()
    # A terminal that broke the line does no harm.
    assert pi.cli("join", token[:50], token[50:]).returncode == 0


def make_older(node, name):
    file, = (node.root / "etc/longcord/pairing").glob(f"{name}.????????????????")
    old = json.loads(file.read_text())
    old["made"] -= 601
    old["expires"] -= 601
    file.write_text(json.dumps(old))
    return file


def test_a_token_of_ten_minutes_ago_is_worth_nothing(node, pi):
    token = node.pair("workbench")
    file = make_older(node, "workbench")
    done = pi.cli("join", token)
    assert done.returncode == 4 and "older than 10 minutes" in done.stderr
    wait(lambda: not file.exists())  # swept away


class PiOfAnotherYear(Pi):
    """Its wall clock is wrong, as that of a Pi without a battery is before it has reached a time server."""
    def __init__(self, shim, seconds):
        super().__init__()
        self.wrong = {"LD_PRELOAD": str(shim), "WRONG_CLOCK": str(seconds), "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def environment(self):
        return {**super().environment(), **self.wrong}


@pytest.mark.parametrize("years", [-1, 1, -40])
def test_a_pi_whose_clock_is_wrong_joins_links_and_comes_back(node, machines, tmp_path, years):
    shim = tmp_path / "wrong_clock.so"
    source = Path(__file__).with_name("wrong_clock.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True)
    pi = PiOfAnotherYear(shim, years * 365 * 86400)
    machines.append(pi)
    wrong = {"LD_PRELOAD": str(shim), "WRONG_CLOCK": pi.wrong["WRONG_CLOCK"]}
    shown = subprocess.run(["date", "+%s"], env={**os.environ, **wrong}, capture_output=True, text=True).stdout
    assert abs(int(shown) - time.time() - years * 365 * 86400) < 600  # the shim does what it says
    pi.serve()
    assert pi.join(node.pair("workbench"))
    pi.wait_links("pve1")
    pi.stop()
    pi.serve()
    pi.wait_links("pve1")
    # What expires does so by the node's clock.
    late = node.pair("late")
    make_older(node, "late")
    done = pi.cli("join", late)
    assert done.returncode == 4 and "older than 10 minutes" in done.stderr


def test_a_name_is_taken_until_it_is_replaced(node, pi, machines):
    pi.join(node.pair("workbench"))
    refused = node.cli("pair", "workbench")
    assert refused.returncode == 1 and "--replace" in refused.stderr
    token = node.pair("workbench", "--replace")
    other = Pi()
    machines.append(other)
    other.serve()
    other.join(token)
    node.says("another key has taken its place", "unlinked")
    wait(lambda: not pi.links()["pve1"]["linked"], pi.text)
    assert node.wait_linked("workbench")
    for bad in ("Workbench", "pci-1", "../x", "", "a" * 32):
        done = node.cli("pair", "--", bad)
        assert done.returncode == 2 and "no name for a Pi" in done.stderr


def test_unpair_ends_the_live_link_at_once(node, pi):
    pi.join(node.pair("workbench"))
    done = node.cli("unpair", "workbench")
    assert done.returncode == 0
    wait(lambda: not pi.links()["pve1"]["linked"])
    wait(lambda: "sshd refuses" in pi.links()["pve1"]["problem"], pi.links)
    assert node.pis() == {} and "workbench" not in [p["name"] for p in node.ask("status")["pis"]]
    again = node.cli("unpair", "workbench")
    assert again.returncode == 1 and 'no Pi "workbench" is paired' in again.stderr


def test_leave_tells_the_node_and_forgets_it(node, pi):
    pi.join(node.pair("workbench"))
    done = pi.cli("leave")
    assert done.returncode == 0 and "pve1 has forgotten this Pi" in done.stdout, done.stderr
    assert not pi.ask("status")["links"] and node.pis() == {}
    assert pi.key().exists()
    assert pi.cli("leave").returncode == 1
    pi.join(node.pair("bench"))  # and can come again
    node.stop_sshd()
    wait(lambda: not pi.links()["pve1"]["linked"])
    done = pi.cli("leave", "pve1")
    assert done.returncode == 5 and "longcord unpair bench" in done.stdout
    assert not pi.ask("status")["links"]


def test_a_key_can_be_let_in_by_hand(node, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    done = node.cli("pair", "labserver", "--key", str(tmp_path / "key.pub"))
    assert done.returncode == 0 and "SHA256:" in done.stdout
    assert "ssh-ed25519" in (node.root / "etc/longcord/pis/labserver").read_text()
    for bad in ("", "command=\"/bin/sh\" " + (tmp_path / "key.pub").read_text(), (tmp_path / "key").read_text()):
        (tmp_path / "bad").write_text(bad)
        assert node.cli("pair", "other", "--key", str(tmp_path / "bad")).returncode != 0
    assert node.cli("pair", "other", "--key", str(tmp_path / "none")).returncode == 1
    assert set(node.pis()) == {"labserver"}


def test_only_root_may_ask(node, pi):
    for machine, name in ((node, "host"), (pi, "pi")):
        (machine.root / f"run/longcord/{name}.sock").chmod(0o666)  # as if an admin had done so
        done = subprocess.run(
            ["setpriv", "--reuid", "65534", "--clear-groups", binary("longcord"), "status"],
            env=machine.environment(), capture_output=True, text=True)
        assert done.returncode == 4 and "only root may ask" in done.stderr


def cluster_of_two(machines):
    """pve1 and pve2 share /etc/pve."""
    port = free_port()
    first = Node("pve1", "127.0.0.1", port, proxmox=True)
    machines.append(first)
    second = Node("pve2", "127.0.0.2", port, cluster=first)
    machines.append(second)
    (first.pve / "nodes/pve2/qemu-server").mkdir(parents=True)
    for each in (first, second):
        show_member(first, each)
    return first, second


def show_member(first, each):
    members = first.pve / ".members"
    old = json.loads(members.read_text()) if members.exists() else {"nodelist": {}}
    old["nodelist"][each.name] = {"id": 1, "online": 1, "ip": each.address}
    key = (each.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2]
    (first.pve / f"nodes/{each.name}").mkdir(parents=True, exist_ok=True)
    (first.pve / f"nodes/{each.name}/ssh_known_hosts").write_text(f"{each.name} {' '.join(key)}\n")
    new = first.pve / ".members.new"
    new.write_text(json.dumps(old))
    new.rename(members)


def test_one_token_and_every_node_of_the_cluster_is_linked(machines, pi):
    first, second = cluster_of_two(machines)
    first.up()
    second.up()
    token = first.pair("workbench")
    pi.join(token)
    pi.wait_links("pve1", "pve2")
    assert second.pis()["workbench"]["linked"] and second.pis()["workbench"]["cluster"]
    # unpair on one node: the other ends its link too.
    began = time.monotonic()
    assert second.cli("unpair", "workbench").returncode == 0
    wait(lambda: not any(link["linked"] for link in pi.links().values()), pi.links)
    assert time.monotonic() - began < 5
    first.says("it is not paired any more", "unlinked")


def test_another_node_finishes_a_pairing(machines, pi):
    first, second = cluster_of_two(machines)
    first.serve()  # its sshd does not run
    second.up()
    said = pi.join(first.pair("workbench"))
    assert "trying pve2 at 127.0.0.2" in said
    pi.wait_links("pve2")
    first.start_sshd()
    pi.wait_links("pve1", "pve2")


def test_a_new_node_is_learned_and_kept(machines, pi):
    first, second = cluster_of_two(machines)
    members = json.loads((first.pve / ".members").read_text())
    del members["nodelist"]["pve2"]
    (first.pve / ".members").write_text(json.dumps(members))
    first.up()
    second.up()
    pi.join(first.pair("workbench"))
    pi.wait_links("pve1")
    show_member(first, second)
    pi.wait_links("pve1", "pve2")
    pi.stop()
    first.stop_sshd()
    pi.serve()
    pi.wait_links("pve2")  # it does not need the first to know the second


def test_while_pmxcfs_is_away_links_stay_and_keys_serve(machines, pi):
    first, second = cluster_of_two(machines)
    second.close()
    machines.remove(second)
    first.up()
    pi.join(first.pair("workbench"))
    wait(lambda: (first.root / "var/lib/longcord/pis/workbench").exists())
    away = first.root / "etc/pve-away"
    first.pve.rename(away)
    first.pve.mkdir()
    first.says("/etc/pve is away", "problem")
    assert pi.links()["pve1"]["linked"]
    first.stop_sshd()
    wait(lambda: not pi.links()["pve1"]["linked"])
    first.start_sshd()
    pi.wait_links("pve1")
    refused = first.cli("unpair", "workbench")
    assert refused.returncode == 1 and "pve-cluster" in refused.stderr
    listed = first.cli("pis")
    assert listed.returncode == 5 and "workbench" in listed.stdout
    first.pve.rmdir()
    away.rename(first.pve)
    wait(lambda: first.cli("pis").returncode == 0)
    assert pi.links()["pve1"]["linked"]


def test_whoever_starts_first(machines):
    """Node before Pi is every other test. Here the Pi boots first, and the node's parts come one
    after the other."""
    node, pi = Node(), Pi()
    machines += [node, pi]
    node.serve()
    node.start_sshd()
    pi.serve()
    pi.join(node.pair("workbench"))
    for machine in (pi, node):
        machine.stop()
    node.stop_sshd()
    pi.serve()
    assert not pi.links()["pve1"]["linked"]
    node.start_sshd()
    wait(lambda: node.sshd_log().count("Accepted publickey") >= 3, node.sshd_log)
    assert not pi.links()["pve1"]["linked"]
    node.serve()
    pi.wait_links("pve1")
