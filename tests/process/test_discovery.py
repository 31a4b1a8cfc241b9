# SPDX-License-Identifier: MIT
"""A node that may be found, and a Pi that looks: the real services with real avahi-daemons, in a
network of their own with two interfaces."""
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from host_world import DIES_WITH_US, binary, short_folder, wait

BUS = """<busconfig><type>system</type><listen>unix:path={0}/bus</listen><policy context="default">
<allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>"""

# Debian's, without what it needs of a whole machine.
AVAHI = """[server]
use-ipv6=no
enable-dbus=yes
[publish]
publish-workstation=no
"""

INSIDE = r"""
set -e
mount --make-rprivate /
mount -t tmpfs none /run
ip link set lo up
for name in lan bridge; do
    ip link add "${name}0" type veth peer name "${name}1"
    ip link set "${name}0" up
    ip link set "${name}1" up
done
ip addr add 10.99.0.1/24 dev lan0
ip addr add 10.99.1.1/24 dev bridge0
exec sleep infinity
"""


class Network:
    def __init__(self):
        self.root = short_folder()
        self.processes = {}
        (self.root / "bus.conf").write_text(BUS.format(self.root))
        (self.root / "avahi.conf").write_text(AVAHI)
        for folder in ("etc/longcord", "etc/pve", "sys", "dev", "proc", "run"):
            (self.root / folder).mkdir(parents=True)
        self.space = subprocess.Popen([*DIES_WITH_US, "unshare", "-n", "-m", "sh", "-c", INSIDE])
        comm = Path(f"/proc/{self.space.pid}/comm")
        wait(lambda: self.space.poll() is not None or comm.read_text() == "sleep\n")
        assert self.space.poll() is None

    def start(self, name, *words):
        with (self.root / f"{name}.log").open("a") as log:
            self.processes[name] = subprocess.Popen(
                ["nsenter", "-t", str(self.space.pid), "-n", "-m", *DIES_WITH_US, *words], stdout=log, stderr=log,
                env={**os.environ, "LONGCORD_ROOT": str(self.root),
                     "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.root}/bus"})

    def stop(self, name):
        process = self.processes.pop(name)
        process.terminate()
        process.wait(30)

    def start_avahi(self):
        self.start("avahi", "avahi-daemon", "-f", str(self.root / "avahi.conf"), "--no-drop-root", "--no-chroot",
                   "--no-rlimits")
        wait(lambda: "Server startup complete" in self.log("avahi"), lambda: self.log("avahi"))

    def log(self, name):
        return (self.root / f"{name}.log").read_text()

    def serve(self, settings):
        (self.root / "etc/longcord/host.yaml").write_text(settings)
        for name in ("host", "pi"):
            self.start(name, binary(f"longcord-{name}"))
            wait(lambda: self.ask(name, "status"), lambda: self.log(name))

    def ask(self, service, verb):
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.root / f"run/longcord/{service}.sock"))
            except OSError:
                return None
            client.sendall(json.dumps({"verb": verb}).encode() + b"\n")
            return json.loads(client.makefile().readline())

    def found(self):
        answer = self.ask("pi", "discovered")
        assert answer["ok"], answer
        return {(node["name"], node["interface"], node["address"], node["port"]) for node in answer["result"]["nodes"]}

    def close(self):
        for name in [*self.processes][::-1]:
            self.stop(name)
        self.space.kill()
        self.space.wait()
        logs = self.log("host") + self.log("pi") if (self.root / "pi.log").exists() else ""
        shutil.rmtree(self.root, ignore_errors=True)
        assert "Sanitizer" not in logs, logs


@pytest.fixture
def network():
    if os.geteuid() != 0 or subprocess.run(["unshare", "-n", "-m", "true"]).returncode != 0:
        pytest.skip("a network of its own needs root")
    net = Network()
    net.start("bus", "dbus-daemon", "--nofork", "--nopidfile", f"--config-file={net.root}/bus.conf")
    wait(lambda: (net.root / "bus").exists(), lambda: net.log("bus"))
    yield net
    net.close()


ON = "node: pve1\nssh_port: 2222\ndiscovery: true\ndiscovery_interfaces: [ lan0 ]\n"


def test_a_node_that_wants_it_is_found_on_the_interfaces_it_names_only(network):
    network.start_avahi()
    network.serve(ON)
    wait(network.found, lambda: network.log("host") + network.log("avahi"))
    assert network.found() == {("pve1", "lan0", "10.99.0.1", 2222)}
    # avahi-daemon is restarted, as an upgrade does: it is announced again.
    network.stop("avahi")
    answer = network.ask("pi", "discovered")
    assert not answer["ok"] and answer["error"]["kind"] == "unavailable" and "avahi" in answer["error"]["message"]
    network.start_avahi()
    wait(lambda: network.ask("pi", "discovered")["ok"] and network.found())
    # It is turned off.
    (network.root / "etc/longcord/host.yaml").write_text("node: pve1\n")
    network.processes["host"].send_signal(1)
    wait(lambda: network.found() == set())


def test_by_default_nobody_is_told(network):
    network.start_avahi()
    network.serve("node: pve1\n")
    assert network.found() == set()


def test_without_avahi_a_node_works_and_says_what_is_missing(network):
    network.serve(ON)
    wait(lambda: "avahi-daemon" in network.log("host"))
    assert network.ask("host", "status")["ok"]
    network.start_avahi()
    wait(lambda: network.ask("pi", "discovered")["ok"] and network.found())


@pytest.mark.parametrize("settings", ["discovery: true\n", "discovery: true\ndiscovery_interfaces: [ a/b ]\n",
                                      "discovery: maybe\n"])
def test_settings_that_say_not_where_are_refused(tmp_path, settings):
    (tmp_path / "host.yaml").write_text(settings)
    done = subprocess.run([binary("longcord-host"), "--check-config", "--config", tmp_path / "host.yaml"],
                          capture_output=True, text=True)
    assert done.returncode == 78 and "host.yaml:" in done.stderr, done.stderr
