# SPDX-License-Identifier: MIT
"""Others on the network mean harm: random bytes at everything that listens, and a Pi that is paired and lies."""

from functools import partial

from campaign.fault import Fault
from campaign.stage import EVIL

OWN = ("127.", "[::1]", "10.0.2.15:")   # this machine, and the lab's way in


def listening(machine):
    """Ports that anybody on the network reaches: "tcp/22", "tcp/3240", "udp/5353"."""
    found = set()
    for kind, option in (("tcp", "-Hltn"), ("udp", "-Hlun")):
        for row in machine.run(f"ss {option}").splitlines():
            address = row.split()[3]
            if not address.startswith(OWN):
                found.add(f"{kind}/{address.rpartition(':')[2]}")
    return sorted(found)


def babble(victim, stage):
    other = {"node": "pi", "pi": "node"}[victim]
    ports = " ".join(listening(stage.machine(victim)))
    stage.machine(other).run(f"systemd-run --quiet --collect --unit=lab-babble lab-babble {stage.machine(victim).address} "
                             f"{stage.random.randrange(1 << 32)} {ports}")


def babble_ends(victim, stage):
    other = {"node": "pi", "pi": "node"}[victim]
    stage.wait(lambda: stage.machine(other).run("systemctl is-active lab-babble || true").strip() != "active",
               "everything to be said")


def pair_evil(stage):
    key = stage.lab.pi.run(f"[ -e /root/{EVIL} ] || ssh-keygen -q -t ed25519 -N '' -f /root/{EVIL}; cat /root/{EVIL}.pub")
    stage.lab.node.put(key, f"/etc/longcord/pis/{EVIL}", mode="600")
    stage.lab.pi.run(f"systemd-run --quiet --collect --unit=lab-evil-pi lab-evil-pi {stage.lab.node.address} /root/{EVIL} "
                     f"{stage.random.randrange(1 << 32)}")
    stage.wait(lambda: stage.lab.node.run(f"pgrep -f '[l]ongcord-link.*{EVIL}'"), "its link")


def unpair_evil(stage):
    stage.lab.pi.run("systemctl stop lab-evil-pi")
    stage.lab.node.run(f"rm -f /etc/longcord/pis/{EVIL}")
    stage.wait(lambda: not stage.lab.node.run(f"pgrep -f '[l]ongcord-link.*{EVIL}' || true").strip(),
               "its link to end")


FAULTS = [
    Fault("random bytes at the node", partial(babble, "node"), partial(babble_ends, "node"), keeps=True),
    Fault("random bytes at the Pi", partial(babble, "pi"), partial(babble_ends, "pi"), keeps=True),
    Fault("a hostile Pi", pair_evil, unpair_evil, keeps=True, rough=2),
]
