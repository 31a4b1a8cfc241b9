# SPDX-License-Identifier: MIT
"""Nodes and Pis as they are installed: each node has Debian's sshd with our drop-in and the account
as systemd-sysusers makes it, in a mount namespace of its own where /etc and /usr/libexec are copies,
and the real longcord-host; a Pi is the real longcord-pi. All that Longcord keeps is below one folder
a machine."""
import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from host_world import DIES_WITH_US, binary, short_folder, wait

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = REPOSITORY / "config/sshd/50-longcord.conf", REPOSITORY / "packaging/sysusers/longcord-host.conf"

# sshd hands no variable on: small programs in the place of ours say where the world is.
INSIDE = r"""
set -e
world=$1 programs=$2 drop_in=$3 sysusers=$4
mount --make-rprivate /
cp -a /etc "$world/namespace/etc"
mkdir -p "$world/namespace/libexec/longcord" /run/sshd
for name in longcord-keys longcord-link; do
    cp "$world/$name" "$world/namespace/libexec/longcord/$name"
    cp "$programs/$name" "$world/namespace/libexec/longcord/$name-itself"
    chmod 755 "$world/namespace/libexec/longcord/$name"
done
mount --bind "$world/namespace/etc" /etc
mount --bind "$world/namespace/libexec" /usr/libexec
systemd-sysusers "$sysusers"
usermod -p '*' longcord
test ! -d "$world/home" || usermod -d "$world/home" longcord
cp "$drop_in" /etc/ssh/sshd_config.d/
cp "$world/sshd.conf" /etc/ssh/sshd_config.d/00-test.conf
test ! -e "$world/after.conf" || cp "$world/after.conf" /etc/ssh/sshd_config.d/99-test.conf
exec sleep infinity
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def descendants(process):
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [found for child in map(int, children) for found in (child, *descendants(child))]


class Machine:
    program = control = ""

    def __init__(self):
        self.root = short_folder()
        self.root.chmod(0o755)
        self.log = self.root / "log"
        (self.root / "etc/longcord").mkdir(parents=True)
        self.process = None

    def environment(self):
        return {**os.environ, "LONGCORD_ROOT": str(self.root), "NO_COLOR": "1"}

    def command(self):
        return [*DIES_WITH_US, binary(self.program)]

    def serve(self):
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log,
                                            env=self.environment())
        wait(lambda: self.process.poll() is not None or self.ask("status"), self.text)
        assert self.process.poll() is None, self.text()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        self.process = None

    def text(self):
        return self.log.read_text() if self.log.exists() else ""

    def ask(self, verb, **args):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            try:
                client.connect(str(self.root / f"run/longcord/{self.control}.sock"))
            except OSError:
                return None
            client.sendall(json.dumps({"verb": verb, "args": args}).encode() + b"\n")
            reply = json.loads(client.makefile().readline())
        assert reply["ok"], reply
        return reply["result"]

    def cli(self, *words):
        return subprocess.run([binary("longcord"), *words], env=self.environment(), timeout=120,
                              capture_output=True, text=True)

    def says(self, text, kind=None):
        """Waits for an event with that text."""
        def seen():
            return [event for event in self.ask("events")["events"]
                    if text in event["message"] and kind in (None, event["kind"])]
        return wait(seen, self.text)[0]

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        log = self.text()
        shutil.rmtree(self.root, ignore_errors=True)
        assert "Sanitizer" not in log and "runtime error" not in log, log


class Node(Machine):
    program, control = "longcord-host", "host"

    def __init__(self, name="pve1", address="127.0.0.1", port=None, cluster=None, sshd_conf="",
                 after_conf="", proxmox=False, home=False):
        super().__init__()
        self.name, self.address, self.port = name, address, port or free_port()
        self.sshd = None
        for folder in ("sys", "dev", "proc", "run", "etc/ssh", "namespace"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "etc/longcord/host.yaml").write_text(f"node: {name}\nssh_port: {self.port}\n")
        if cluster is not None:
            (self.root / "etc/pve").symlink_to(cluster.root / "etc/pve")
        elif proxmox:
            (self.root / f"etc/pve/nodes/{name}/qemu-server").mkdir(parents=True)
            (self.root / "etc/pve/local").symlink_to(f"nodes/{name}")
        self.pve = self.root / "etc/pve"
        self.host_key = self.root / "etc/ssh/ssh_host_ed25519_key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.host_key], check=True)
        (self.root / "sshd.conf").write_text(
            f"{sshd_conf}\nListenAddress {address}\nPort {self.port}\nHostKey {self.host_key}\n"
            "PidFile none\n")
        if home:
            (self.root / "home").mkdir()
        if after_conf:
            (self.root / "after.conf").write_text(after_conf)
        for name, call in (("longcord-keys", f"--root {self.root}"), ("longcord-link", '"$@"')):
            (self.root / name).write_text(
                f"#!/bin/sh\nLONGCORD_ROOT={self.root} exec /usr/libexec/longcord/{name}-itself {call}\n")
        self._make_namespace()

    def _make_namespace(self):
        with self.log.open("a") as log:
            self.namespace = subprocess.Popen(
                [*DIES_WITH_US, "unshare", "-m", "sh", "-c", INSIDE, "sh", self.root,
                 Path(binary("longcord-keys")).parent, *FILES],
                stdout=log, stderr=log)
        ready = f"/proc/{self.namespace.pid}/comm"
        wait(lambda: self.namespace.poll() is not None or Path(ready).read_text() == "sleep\n", self.text,
             seconds=300)  # it copies all of /etc
        assert self.namespace.poll() is None, self.text()

    def inside(self, *words):
        return ["nsenter", "-t", str(self.namespace.pid), "-m", *words]

    def command(self):
        return self.inside(*super().command())

    def start_sshd(self):
        with (self.root / "sshd.log").open("a") as log:
            self.sshd = subprocess.Popen(
                self.inside(*DIES_WITH_US, "/usr/sbin/sshd", "-D", "-e", "-o", "LogLevel=VERBOSE"),
                stdout=log, stderr=log)
        wait(self._accepts, self.sshd_log)

    def stop_sshd(self):
        """With its sessions, as a reboot would."""
        for process in [self.sshd.pid, *descendants(self.sshd.pid)]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.sshd.wait()

    def _accepts(self):
        assert self.sshd.poll() is None, self.sshd_log()
        with socket.socket() as s:
            return s.connect_ex((self.address, self.port)) == 0

    def sshd_log(self):
        return (self.root / "sshd.log").read_text()

    def up(self):
        self.start_sshd()
        self.serve()
        return self

    def pair(self, name, *options):
        """The token."""
        done = self.cli("pair", name, "--address", f"{self.address}:{self.port}", *options)
        assert done.returncode == 0, done.stderr
        words = done.stdout.split()
        assert words[:2] == ["longcord", "join"] and len(words) == 3
        return words[2]

    def pis(self):
        return {pi["name"]: pi for pi in self.ask("pis")["pis"]}

    def wait_linked(self, name):
        return wait(lambda: (self.pis().get(name) or {}).get("linked"), self.text)

    def fingerprint(self):
        text = subprocess.run(["ssh-keygen", "-lf", self.host_key], capture_output=True, text=True)
        return text.stdout.split()[1]

    def close(self):
        if self.sshd and self.sshd.poll() is None:
            self.stop_sshd()
        self.namespace.kill()
        self.namespace.wait()
        super().close()


class Pi(Machine):
    program, control = "longcord-pi", "pi"

    def __init__(self):
        super().__init__()
        (self.root / "sys").mkdir()
        (self.root / "etc/longcord/pi.yaml").write_text("usbip_port: %d\n" % free_port())

    def join(self, token):
        done = self.cli("join", token)
        assert done.returncode == 0, done.stdout + done.stderr + self.text()
        return done.stdout

    def links(self):
        return {link["node"]: link for link in self.ask("status")["links"]}

    def wait_links(self, *nodes):
        return wait(lambda: {name for name, link in self.links().items() if link["linked"]}
                    == set(nodes), lambda: (self.links(), self.text()))

    def key(self):
        return self.root / "etc/longcord/id_ed25519"


def list_of_machines():
    """What is put into it is closed at the end, the last one first."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"]).returncode != 0:
        pytest.skip("sshd in a mount namespace needs root")
    all_of_them = []
    yield all_of_them
    for machine in reversed(all_of_them):
        machine.close()


machines = pytest.fixture(list_of_machines)
machines_of_a_module = pytest.fixture(list_of_machines, scope="module")


@pytest.fixture
def node(machines):
    machines.append(Node())
    return machines[-1].up()


@pytest.fixture
def pi(machines):
    machines.append(Pi())
    machines[-1].serve()
    return machines[-1]
