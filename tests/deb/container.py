# SPDX-License-Identifier: MIT
"""A clean Debian that has booted: systemd runs in it, with sshd and services as on a machine, in a network of its own
that leads nowhere. Packages come from the cache that all chroots share."""
import os
import signal
import subprocess
import time
from pathlib import Path

from chroot import Chroot

# What a machine has, and what autopkgtest would bring itself if there were a network.
SYSTEM = ("systemd-sysv", "dbus", "openssh-server", "udev", "apt-utils", "dpkg-dev")
BOOT_SECONDS = 120


class Container:
    def __init__(self, *trees):
        self.chroot = Chroot(*trees)
        self.key = self.chroot.folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        self.chroot.path("/usr/sbin/policy-rc.d").unlink(missing_ok=True)
        keys = self.chroot.path("/root/.ssh/authorized_keys")
        keys.parent.mkdir(mode=0o700, exist_ok=True)
        keys.write_text((self.chroot.folder / "key.pub").read_text())
        self.console = open(self.chroot.folder / "console", "w+")
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--private-network",
             f"--bind={self.chroot.archives}:/var/cache/apt/archives", "-D", self.chroot.root],
            # Debian 13's systemd boots with nothing else, whichever cgroups this machine has.
            env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=subprocess.STDOUT)

    def wait_until_up(self):
        deadline = time.monotonic() + BOOT_SECONDS
        while self.ssh("systemctl is-system-running --wait").stdout.strip() not in ("running", "degraded"):
            assert self.nspawn.poll() is None and time.monotonic() < deadline, \
                f"the container did not boot: {Path(self.console.name).read_text()[-4000:]}"
            time.sleep(0.5)

    def first_process(self):
        return Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()[0]

    def ssh_config(self):
        """For ssh -F. Its network has no way in but for who enters it."""
        enter = f"nsenter --net=/proc/{self.first_process()}/ns/net socat - TCP:127.0.0.1:22"
        config = self.chroot.folder / "ssh_config"
        config.write_text(f"Host container\nProxyCommand {enter}\nIdentityFile {self.key}\nUser root\n"
                          "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\nBatchMode yes\n")
        return config

    def ssh(self, command):
        try:
            return subprocess.run(["ssh", "-F", self.ssh_config(), "container", command], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        except (IndexError, FileNotFoundError) as early:  # no process in it yet
            return subprocess.CompletedProcess(command, 255, str(early))

    def close(self):
        if self.nspawn.poll() is None:
            os.kill(self.nspawn.pid, signal.SIGKILL)
            self.nspawn.wait()
        self.console.close()
        self.chroot.close()
