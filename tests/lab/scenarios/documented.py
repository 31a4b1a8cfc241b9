# SPDX-License-Identifier: MIT
"""Every command of ours in the documents, and those for the journal and for units, run where they say, beside running
services, on a VM and boards. Which words they may have tests/process/test_docs.py checks; here they have to work."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from lab.gadget import Gadget

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "process"))
import docs_text  # noqa: E402

BOARD = Gadget(vendor=0x1A86, product=0x55D4, serial="0001", socket=0)
LOCAL = "1-1.2.1"
# Run elsewhere: what takes the lab's own link away, ends only when somebody ends it, or wants another machine.
ELSEWHERE = {
    r"longcord (un)?pair (workbench|NAME)\b|longcord (join|leave) ": "scenarios/pairing.py",
    r"longcord portal-code|longcord-portal ": "scenarios/portal.py, portal_in_a_browser.py",
    r"longcord serial serve ": "scenarios/serial_port.py",
    r"longcord learn": "tests/process/test_learn.py: somebody plugs a device in meanwhile",
    r"rm /etc/udev/": "a file that the lab has not",
    r"systemctl disable --now usbipd": "a unit of the old set-up's own",
    r"systemctl stop longcord-host": "before --give-back",
}
ON_PI = re.compile(r"longcord (mode|test|serial allow) ?|.*longcord-pi\b")
OTHERS = r"(?:journalctl|systemctl|udevadm|sshd|printf '\{|rm /etc/udev) ?.*"
# What follows events ends when it cannot write any more, so some have to come.
FOLLOWED = f"(while sleep 1; do longcord detach {LOCAL}; longcord resume {LOCAL}; done) >/dev/null 2>&1 & {{}} | head -n 1; kill $!"
DONE = (0, 5)  # 5: done, and there is a problem to tell
# What has to be so for a command to make sense, and what makes it so again.
BEFORE = {
    "--key": "ssh-keygen -q -t ed25519 -N '' -f /root/oldpi",
    "serial allow --remove": "longcord serial allow 192.168.1.50",
    "rules remove": "longcord rules add 100 workbench/1-1.2",
    "--give-back": "systemctl stop longcord-host"}
AFTER = {
    "--key": "longcord unpair oldpi; rm /root/oldpi*",
    "qm snapshot 100 before-upgrade": "qm delsnapshot 100 before-upgrade", "qm snapshot 100 before ": "qm delsnapshot 100 before",
    "qm suspend": "qm resume 100", "--give-back": "systemctl start longcord-host",
    "longcord-metrics.timer": "systemctl disable --now longcord-metrics.timer", "mode ": "longcord mode 1-1.2 default"}


def commands():
    """{line: where}, in the order of the pages; what ends the service's work comes last."""
    found = {}
    for where, words in [*docs_text.page_commands(), *docs_text.man_commands()]:
        words = docs_text.filled(words)
        if len(words) > 1 and words[0] in docs_text.PROGRAMS and words != ["longcord", "complete"]:
            found.setdefault(shlex.join(words), where)
    for page in docs_text.PAGES:
        lines = [line for _, block in docs_text.blocks(page) for line in block.splitlines()]
        for line in [*lines, *re.findall(r"`([^`]+)`", page.read_text())]:
            line = line.split(" && ")[0]
            if re.fullmatch(OTHERS, line) and " " in line and "..." not in line:
                found.setdefault(line, docs_text.named(page))
    return dict(sorted(found.items(), key=lambda each: "--give-back" in each[0]))


class Reader:
    """Follows the documents, with the lab's names in place of theirs."""

    def __init__(self, lab, busid):
        self.lab, self.busid = lab, busid

    def here(self, line, machine):
        names = {r"workbench/1-1\.2": f"workbench/{self.busid}", r"1-1\.2": self.busid, r"pve1": "node", "/none":
                 self.lab.node.vm(100).rules_path, r"3-4": self.busid if machine is self.lab.pi else LOCAL}
        one = "|".join(rf"(?<![\w./-]){name}(?![\w.])" for name in names)
        return re.sub(one, lambda found: names[re.sub(r"[.]", r"\.", found[0]) if found[0] != "/none" else "/none"], line)

    def run(self, line):
        machine = self.lab.pi if ON_PI.match(line) else self.lab.node
        for begin, more in BEFORE.items():
            if begin in line:
                machine.run(self.here(more, machine))
        endless = " --follow" in line or "journalctl -f" in line
        words = self.here(line, machine)
        done = machine.run(FOLLOWED.format(words) if endless else words, check=False, timeout=300)
        for begin, more in AFTER.items():
            if begin in line:
                machine.run(self.here(more, machine), timeout=300)
        return done


def only_named(line, done):
    """A sentence that names a verb, without what it needs."""
    return done.returncode == 2 and re.fullmatch(r"[a-z -]+", line)


@pytest.fixture
def reader(longcord, lab):
    vm, other = lab.node.vm(100), lab.node.vm(101)
    vm.configure(extra="usb0: spice\n")
    vm.ensure_running()
    other.configure(extra="usb0: host=1-1.2.2\n")
    lab.node.put("#!/bin/sh\necho /var/lib/vz/snippets/longcord-hookscript\n", "/usr/local/sbin/pvesm", mode="755")
    lab.node.run("mkdir -p /var/lib/prometheus/node-exporter /srv/textfile")
    lab.node.plug_local("board", "usb-serial", port="1.2.1")
    longcord.wait_state(LOCAL, "unclaimed")
    place = lab.pi.plug(BOARD)
    longcord.wait_state(place, "unclaimed")
    yield Reader(lab, place.split("/")[1])
    for each in (place, LOCAL):  # what was detached by hand stays so, wherever it is plugged in again
        lab.node.run(["longcord", "resume", each], check=False)
    lab.node.run("rm -rf /usr/local/sbin/pvesm /var/lib/prometheus /srv/textfile /var/lib/lab/vm-100-state-*")
    lab.pi.run("longcord serial allow --remove 192.168.1.50; longcord serial allow --remove 192.168.1.60", check=False)
    for each in (vm, other):
        # It was suspended, and rolled back: what its guest has said is not what it has.
        if each.running():
            each.stop()
        each.configure()


@pytest.mark.more
def test_every_command_of_the_documents_works(reader):
    bad = []
    for line, where in commands().items():
        if any(re.match(begin, line + " ") for begin in ELSEWHERE):
            print(f"{where}: elsewhere: {line}")
            continue
        done = reader.run(line)
        print(f"{where} $ {line} -> {done.returncode}", (done.stdout + done.stderr).strip()[-300:] if done.returncode else "")
        if done.returncode not in DONE and not only_named(line, done):
            bad.append((where, line, done.returncode, done.stderr))
    assert bad == []
