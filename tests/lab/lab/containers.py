# SPDX-License-Identifier: MIT
"""Docker and LXC in a machine, and containers with nothing but busybox in them."""

import contextlib
import shlex

from lab import debs

# Without a network of its own, which would leave rules in the machine's.
DAEMON = '{"bridge": "none", "iptables": false, "ip-forward": false}\n'
STAYS = "busybox sleep 1000000"
ROOTFS = "/var/lib/lxc/105/rootfs"
CONFIG = f"""lxc.include = /usr/share/lxc/config/common.conf
lxc.rootfs.path = dir:{ROOTFS}
lxc.uts.name = board
lxc.init.cmd = /bin/{STAYS}
lxc.apparmor.profile = unconfined
lxc.net.0.type = empty
"""
UNPRIVILEGED = """lxc.include = /usr/share/lxc/config/userns.conf
lxc.idmap = u 0 100000 65536
lxc.idmap = g 0 100000 65536
"""

# What the packages leave, in the kernel too.
LEFT_BEHIND = """
rm -rf /var/lib/docker /var/lib/containerd /etc/docker /run/docker* /run/containerd /run/lxc
groupdel docker
systemctl daemon-reload
cd /sys/kernel/security/apparmor
for profile in $(cut -d " " -f 1 profiles); do printf %s "$profile" >.remove; done
modprobe -ra xt_nat nft_chain_nat nft_compat nf_conntrack_netlink bridge overlay
"""


@contextlib.contextmanager
def brought(machine):
    """Docker and LXC, until the end of the block."""
    # Where the kernel has AppArmor, Docker starts no container without the tools for it.
    names = debs.install(machine, "docker.io", "docker-compose", "lxc", "apparmor")
    try:
        start(machine)
        yield
    finally:
        machine.run("lxc-stop -k -n 105; docker ps -aq | xargs -r docker rm -f; systemctl stop docker.socket docker containerd;"
                    "rm -rf /var/lib/lxc /root/compose", check=False)
        debs.remove(machine, names)
        machine.run(LEFT_BEHIND, check=False)


def start(machine):
    """The daemon, and what containers are made of."""
    machine.put(DAEMON, "/etc/docker/daemon.json")
    machine.run("systemctl start docker", timeout=300)
    busybox = "mkdir -p {0}/bin {0}/dev {0}/proc {0}/sys && cp /bin/busybox {0}/bin && ln -sf busybox {0}/bin/sh"
    machine.run(f"{busybox.format('/root/image')} && tar -C /root/image -c . | docker import - lab && rm -r /root/image")
    machine.run(busybox.format(ROOTFS))


class Docker:
    """A container that is there by that name, or is made: `line` is a `docker run` with IMAGE in it."""

    def __init__(self, machine, name, line=None):
        self.machine, self.name = machine, name
        if line:
            machine.run(line.replace("IMAGE", f"lab {STAYS}"), timeout=300)

    def run(self, command, user=0):
        """What a program in the container says, its complaints too."""
        done = self.machine.run(f"docker exec -u {user} {self.name} sh -c {shlex.quote(command)}", check=False)
        return done.stdout + done.stderr


class Lxc:
    """A container with these lines, as Proxmox writes them, in its config."""

    def __init__(self, machine, lines, unprivileged=False):
        self.machine = machine
        owner = 100000 if unprivileged else 0
        machine.run(f"chown -R {owner}:{owner} {ROOTFS}; chmod 755 /var/lib/lxc /var/lib/lxc/105")
        config = CONFIG + lines.replace(": ", " = ") + "\n" + (UNPRIVILEGED if unprivileged else "")
        machine.put(config, "/var/lib/lxc/105/config")
        self.start()

    def start(self):
        self.machine.run("lxc-start -n 105", timeout=300)

    def stop(self):
        self.machine.run("lxc-stop -k -n 105", timeout=300)

    def run(self, command, user=0, group=0):
        done = self.machine.run(f"lxc-attach -n 105 -u {user} -g {group} -- sh -c {shlex.quote(command)}", check=False)
        return done.stdout + done.stderr
