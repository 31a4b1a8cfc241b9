"""Pairing as README tells it: one line from the node to the Pi, a token that was stolen, and its end."""

import pytest

from lab.gadget import Gadget
from lab.longcord import pi_yaml

BOARD = Gadget(socket=0)
FILES = "/etc/longcord/id_ed25519 /var/lib/longcord/joined.json /var/lib/longcord/known_hosts"


def settings(lab, *nodes):
    lab.pi.put(pi_yaml(*nodes) if nodes else "log_level: debug\nname: workbench\n", "/etc/longcord/pi.yaml")
    lab.pi.run(["systemctl", "restart", "longcord-pi"])


@pytest.fixture
def stranger(longcord, lab):
    """A Pi that nobody knows, and a node that knows none; afterwards as the installation left both."""
    lab.pi.run(f"mkdir -p /root/kept; mv {FILES} /root/kept/ 2>/dev/null; true")
    key = lab.node.read("/etc/longcord/pis/workbench")
    lab.node.run("rm /etc/longcord/pis/workbench")
    settings(lab)
    yield longcord
    lab.pi.run(f"rm -f {FILES}; mv /root/kept/id_ed25519 /etc/longcord/")
    lab.node.run("rm -f /etc/pve/priv/longcord/pis/*")
    lab.node.put(key, "/etc/longcord/pis/workbench", mode="600")
    settings(lab, *lab.nodes())
    longcord.wait_linked()


def join(lab, token):
    return lab.pi.run(["longcord", "join", token], check=False)


def test_one_line_and_a_board_is_in_the_vm_until_unpair(stranger, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    token = stranger.cli("pair", "workbench")["token"]
    done = join(lab, token)
    assert done.returncode == 0, done.stdout + done.stderr
    vm.guest.wait_tty("ttyACM0")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    assert lab.pi.run("stat -c %a /etc/longcord/id_ed25519").strip() == "600"

    before = stranger.last_event()
    again = join(lab, token)
    assert again.returncode == 4 and "used before" in again.stderr
    assert any("was used again from 10.77.0.2" in event["message"] for event in stranger.events(before))

    began = lab.node.run("cut -d' ' -f1 /proc/uptime")
    stranger.cli("unpair", "workbench")
    vm.guest.wait_no_tty("ttyACM0")
    lab.wait(lambda: not stranger.cli("status", machine=lab.pi)["links"][0]["linked"], what="the link to end")
    assert float(lab.node.run("cut -d' ' -f1 /proc/uptime")) - float(began) < 60  # of an emulated machine


@pytest.mark.more
def test_a_wrong_host_key_is_refused_with_both_fingerprints(stranger, lab):
    token = stranger.cli("pair", "workbench")["token"]
    lab.node.run("mkdir /root/keys && cp -a /etc/ssh/ssh_host_ed25519_key* /root/keys/ && rm /etc/ssh/ssh_host_ed25519_key*"
                 " && ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key && systemctl restart ssh")
    try:
        done = join(lab, token)
        assert done.returncode == 4 and "wrong host key" in done.stderr
        for folder in ("/etc/ssh", "/root/keys"):
            assert lab.node.run(f"ssh-keygen -lf {folder}/ssh_host_ed25519_key.pub").split()[1] in done.stderr
    finally:
        lab.node.run("mv /root/keys/* /etc/ssh/ && rmdir /root/keys && systemctl restart ssh")
    assert join(lab, token).returncode == 0
