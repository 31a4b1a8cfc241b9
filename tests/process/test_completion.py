# SPDX-License-Identifier: MIT
"""Completion as somebody at a keyboard has it: a real bash and a real zsh in a terminal, and the Tab key. What the
line is afterwards, the shell itself tells (Ctrl-X d)."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from control_fake import FakeService
from host_world import binary, short_folder, wait

REPOSITORY = Path(__file__).resolve().parents[2]
TAB, TELL, ALL = "\t", "\x18d", "\x18*"

DEVICES = [{"place": "workbench/1-1.2", "id": "1a86:55d4", "product": "USB Single Serial"},
           {"place": "workbench/1-1.3", "id": "10c4:ea60", "product": "CP2102"},
           {"place": "3-4", "id": "1d6b:0002", "product": "Hub", "hub": True},
           {"place": "pci-0000:00:14.0/4.1", "id": "10c4:ea60", "product": "Stick"}]
HOST = {"devices": {"devices": DEVICES},
        "pis": {"pis": [{"name": "workbench"}, {"name": "attic"}]},
        "status": {"vms": [{"vmid": 100, "name": "workshop", "machine": None},
                           {"vmid": 1000000001, "machine": "windows", "name": "windows"}]}}
PI = {"devices": {"devices": [{"place": "1-1.4", "id": "1a86:55d4"}]},
      "status": {"links": [{"node": "pve1", "host": "10.77.0.1:22"}, {"node": None, "host": "10.77.0.9:22"}]}}

BASH = r"""
PS1='ready$ '
bind 'set bell-style none'; bind 'set show-all-if-ambiguous on'; bind 'set page-completions off'
bind 'set completion-query-items 0'; bind 'set enable-bracketed-paste off'
bind -x '"\C-xd": printf "<%s>\n" "$READLINE_LINE"; READLINE_LINE='
bind '"\C-x*": insert-completions'
source {repository}/config/completion/longcord.bash
"""
ZSH = r"""
PS1='ready$ '; unset zle_bracketed_paste; setopt no_beep
fpath=({functions} $fpath); LISTMAX=1000
autoload -Uz compinit; compinit -u -D
tell() {{ zle -I; print -r -- "<$BUFFER>"; BUFFER= }}; zle -N tell; bindkey '^Xd' tell
every() {{ _main_complete; compstate[insert]=all }}; zle -C every complete-word every
bindkey '^X*' every
"""


class Shell:
    def __init__(self, name, root, functions):
        self.name, self.text = name, ""
        script = root / f"{name}rc"
        path = f"{Path(binary('longcord')).parent}:{os.environ['PATH']}"
        env = {**os.environ, "LONGCORD_ROOT": str(root), "PATH": path, "TERM": "dumb", "HOME": str(root),
               "COLUMNS": "200", "LC_ALL": "C"}
        if name == "bash":
            script.write_text(BASH.format(repository=REPOSITORY))
            words = ["bash", "--noprofile", "--rcfile", str(script), "-i"]
        else:
            (root / ".zshrc").write_text(ZSH.format(functions=functions))
            words = ["zsh", "-i", "-o", "no_global_rcs"]
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(root)
            os.execvpe(words[0], words, env)
        self.until("ready$ ")

    def until(self, pattern):
        """Everything that is shown up to there."""
        end = time.monotonic() + 40  # only a broken shell needs so long
        while not (found := re.search(re.escape(pattern) if isinstance(pattern, str) else pattern, self.text)):
            assert time.monotonic() < end, self.text
            if select.select([self.terminal], [], [], 0.2)[0]:
                self.text += os.read(self.terminal, 65536).decode(errors="replace")
        seen, self.text = self.text[:found.end()], self.text[found.end():]
        return seen

    def line_after(self, *keys):
        """The line, after these keys were pressed on an empty one; telling it empties it again."""
        self.text = ""
        os.write(self.terminal, ("".join(keys) + TELL).encode())
        line = re.search(r"<([^>]*)>", self.until(re.compile(r"<[^>\n]*>\r?\n"))).group(1)
        self.until("ready$ ")  # before, keys are still the terminal's own, and lost
        return line

    def all(self, typed):
        """Every candidate for the last word."""
        line = self.line_after(typed, ALL)
        return line.replace("\\", "")[len(typed.rpartition(" ")[0]) + 1:].split()

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


@pytest.fixture
def root():
    folder = short_folder()
    (folder / "run/longcord").mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(params=["bash", "zsh"])
def shell(request, root):
    functions = root / "functions"
    functions.mkdir()
    shutil.copy(REPOSITORY / "config/completion/_longcord", functions)
    one = Shell(request.param, root, functions)
    yield one
    one.close()


@pytest.fixture
def host(root):
    service = FakeService(root / "run/longcord/host.sock", HOST)
    yield service
    service.close()


@pytest.fixture
def on_pi(root):
    service = FakeService(root / "run/longcord/pi.sock", PI)
    yield service
    service.close()


def test_verbs_and_their_verbs(shell):
    assert shell.line_after("longcord stat", TAB) == "longcord status "
    assert shell.line_after("longcord rules ch", TAB) == "longcord rules check "
    assert shell.line_after("longcord vm q", TAB) == "longcord vm quiesce "
    assert {"status", "devices", "rules", "vm", "doctor"} <= set(shell.all("longcord "))
    assert "complete" not in shell.all("longcord ")


def test_options_and_the_words_they_take(shell):
    assert shell.line_after("longcord serial serve --obs", TAB) == "longcord serial serve --observe "
    assert sorted(shell.all("longcord status --on ")) == ["host", "pi"]
    assert shell.line_after("longcord status --on=h", TAB) == "longcord status --on=host "
    assert shell.line_after("longcord mode 1-1.4 ser", TAB) == "longcord mode 1-1.4 serial "


def test_places_come_from_the_service(shell, host):
    assert sorted(shell.all("longcord explain ")) == sorted(
        device["place"] for device in DEVICES if not device.get("hub"))
    assert shell.line_after("longcord explain w", TAB) == "longcord explain workbench/1-1."
    assert shell.line_after("longcord attach workbench/1-1.2 1", TAB) == "longcord attach workbench/1-1.2 100 "


def test_colons_of_a_place_are_part_of_the_word(shell, host):
    line = shell.line_after("longcord explain pci-0000:00", TAB)
    assert line.replace("\\", "") == "longcord explain pci-0000:00:14.0/4.1 "


def test_vms_and_pis_come_from_the_service(shell, host, root):
    assert sorted(shell.all("longcord attach 3-4 ")) == ["100", "windows"]
    assert shell.all("longcord rules adopt ") == ["100"]
    assert sorted(shell.all("longcord unpair ")) == ["attic", "workbench"]
    assert {"attic", "workbench", "workbench/1-1.2"} <= set(shell.all("longcord rules add 100 "))


def test_vms_that_have_no_rules_yet_come_from_proxmox(shell, root):
    (root / "etc/pve/nodes/pve1/qemu-server").mkdir(parents=True)
    (root / "etc/pve/qemu-server").symlink_to("nodes/pve1/qemu-server")
    (root / "etc/pve/qemu-server/107.conf").write_text("name: new\n")
    (root / "etc/pve/.vmlist").write_text(json.dumps({"ids": {"107": {"node": "pve1", "type": "qemu"}}}))
    assert shell.line_after("longcord rules add 10", TAB) == "longcord rules add 107 "


def test_on_a_pi(shell, on_pi):
    assert shell.line_after("longcord mode 1-", TAB) == "longcord mode 1-1.4 "
    assert shell.line_after("longcord test p", TAB) == "longcord test pve1 "


def test_files_where_files_are_meant(shell, root):
    (root / "my.usb.conf").write_text("3-4\n")
    assert shell.line_after("longcord rules check my", TAB) == "longcord rules check my.usb.conf "


def test_without_a_service_it_is_silent(shell):
    """Nothing is completed, and nothing is said: no message stands in the middle of what somebody types."""
    assert shell.line_after("longcord explain w", TAB).rstrip() == "longcord explain w"
    os.write(shell.terminal, b"longcord explain w" + TAB.encode() + TELL.encode())
    assert "running" not in shell.until(re.compile(r"<[^>\n]*>\r?\n"))


def test_a_service_that_does_not_answer_is_not_waited_for(root):
    """A key press has an end, whatever the service does."""
    stuck = FakeService(root / "run/longcord/host.sock", {}, raw=b"")
    try:
        done = subprocess.run([binary("longcord"), "complete", "explain", ""], capture_output=True, text=True,
                              timeout=30, env={**os.environ, "LONGCORD_ROOT": str(root)})
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        wait(lambda: stuck.requests)
    finally:
        stuck.close()
