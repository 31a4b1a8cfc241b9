# SPDX-License-Identifier: MIT
"""longcord-hookscript, run as Proxmox runs it: it leaves its note or does not, and in every
circumstance it says nothing, waits for nothing, keeps nothing open and succeeds."""

import os
import resource
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "hookscript" / "longcord-hookscript"
PHASES = ["pre-start", "post-start", "pre-stop", "post-stop"]
NEVER = 30  # seconds; only a script that hangs reaches it


class Hook:
    """A root of its own, with the directory of notes."""

    def __init__(self, root: Path):
        self.root = root
        self.notes = root / "run/longcord/hook"
        self.notes.mkdir(parents=True, mode=0o700)

    def names(self):
        return sorted(entry.name for entry in self.notes.iterdir())

    def run(self, *args, command=(str(SCRIPT),), env=None, **options):
        """Both pipes are read to their end, which comes only when nobody holds them open."""
        environment = {"LC_ALL": "C", "LONGCORD_ROOT": str(self.root)} if env is None else env
        done = subprocess.run([*command, *args], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=NEVER, check=False, **options)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.fixture
def hook(tmp_path):
    return Hook(tmp_path)


@pytest.fixture
def mounted(hook):
    """Mounts a tmpfs on the notes' directory; only root can, as in CI."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")

    def mount(options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", hook.notes], check=True)

    yield mount
    subprocess.run(["umount", hook.notes], check=False)


@pytest.mark.parametrize("phase", PHASES)
def test_leaves_an_empty_note(hook, phase):
    hook.run("100", phase)
    note = hook.notes / f"100.{phase}"
    assert hook.names() == [note.name]
    assert note.stat().st_size == 0
    assert note.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("command", [["sh"], ["bash", "--posix"], ["busybox", "sh"]],
                         ids=lambda command: command[0])
def test_any_sh_will_do(hook, command):
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]} here")
    os.mkfifo(hook.notes / "101.post-start")
    os.symlink("nowhere", hook.notes / "102.post-start")
    for vmid in ("100", "101", "102"):
        hook.run(vmid, "post-start", command=[shutil.which(command[0]), *command[1:], str(SCRIPT)])
    assert (hook.notes / "100.post-start").is_file()
    assert not (hook.notes / "nowhere").exists()


def test_a_phase_of_a_later_proxmox(hook):
    hook.run("999999999", "pre-migrate")
    assert hook.names() == ["999999999.pre-migrate"]


def test_a_note_that_was_not_read_yet_stays_as_it_is(hook):
    (hook.notes / "100.post-start").write_text("kept")
    hook.run("100", "post-start")
    assert (hook.notes / "100.post-start").read_text() == "kept"


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize("make", [
    pytest.param(os.mkfifo, id="fifo"),
    pytest.param(os.mkdir, id="directory"),
    pytest.param(make_socket, id="socket"),
    pytest.param(lambda path: os.symlink(path.parents[3] / "outside", path), id="dangling-symlink"),
    pytest.param(lambda path: os.symlink(path.parents[3] / "precious", path), id="symlink-to-file"),
    pytest.param(lambda path: os.symlink(path.parents[3] / "fifo", path), id="symlink-to-fifo"),
    pytest.param(lambda path: os.symlink(path, path), id="symlink-to-itself"),
])
def test_something_else_lies_in_the_place_of_the_note(hook, make):
    (hook.root / "precious").write_text("precious")
    os.mkfifo(hook.root / "fifo")
    note = hook.notes / "100.post-start"
    make(note)
    before = note.lstat()
    hook.run("100", "post-start")
    assert note.lstat().st_ino == before.st_ino
    assert note.lstat().st_mode == before.st_mode
    assert not (hook.root / "outside").exists()
    assert (hook.root / "precious").read_text() == "precious"


@pytest.mark.parametrize("args", [
    [], ["100"], ["", ""], ["100", ""], ["", "post-start"], ["x", "post-start"],
    ["0100", "post-start"], ["-1", "post-start"], ["1000000000", "post-start"],
    ["100", "POST-START"], ["100", "post start"], ["100", "post-start\n"], ["100\n", "post-start"],
    ["../100", "post-start"], ["100", "/../../../../outside"], ["100", "x" * 33], ["100", "*"],
    ["*", "post-start"], ["$(touch outside)", "post-start"], ["100", "post\u00e9"],
    ["9" * 100_000, "post-start"],
], ids=repr)
def test_arguments_that_mean_nothing(hook, args):
    hook.run(*args, cwd=hook.root)
    assert hook.names() == []
    assert [entry.name for entry in hook.root.iterdir()] == ["run"]


def test_arguments_beyond_the_second_are_ignored(hook):
    hook.run("100", "post-start", "--later", "news")
    assert hook.names() == ["100.post-start"]


@pytest.mark.parametrize("missing", ["run/longcord/hook", "run/longcord", "run"])
def test_the_service_was_never_there(hook, missing):
    shutil.rmtree(hook.root / missing)
    hook.run("100", "post-start")
    assert not (hook.root / missing).exists()


def test_the_directory_is_a_file(hook):
    hook.notes.rmdir()
    hook.notes.write_text("")
    hook.run("100", "post-start")
    assert hook.notes.read_text() == ""


def test_the_file_system_is_read_only(hook, mounted):
    mounted("ro")
    hook.run("100", "post-start")
    assert hook.names() == []


def test_the_file_system_has_no_inode_left(hook, mounted):
    mounted("nr_inodes=1")
    hook.run("100", "post-start")
    assert hook.names() == []


def test_the_file_system_has_no_block_left(hook, mounted):
    mounted("size=4k")
    (hook.notes / "filler").write_bytes(b"x" * 4096)
    hook.run("100", "post-start")
    assert hook.names() == ["100.post-start", "filler"]  # an empty file needs none


def test_no_environment_at_all(hook):
    """Below the real root, seen from a mount namespace of our own."""
    if os.geteuid() != 0:
        pytest.skip("a mount namespace needs root")
    shutil.copy(SCRIPT, hook.root / "hookscript")
    script = (f"mount --bind '{hook.root}/run' /run && "
              f"env -i '{hook.root}/hookscript' 100 post-start")
    hook.run(command=["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script], env=dict(os.environ))
    assert hook.names() == ["100.post-start"]


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2]], ids=repr)
def test_descriptors_that_are_closed(hook, closed):
    words = {0: "<&-", 1: ">&-", 2: "2>&-"}
    line = " ".join(['exec "$0" "$@"', *(words[fd] for fd in closed)])
    hook.run("100", "post-start", command=["/bin/sh", "-c", line, str(SCRIPT)])
    assert hook.names() == ["100.post-start"]


def test_output_that_nobody_reads_any_more(hook):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([SCRIPT, "100", "post-start"], env={"LONGCORD_ROOT": str(hook.root)},
                          stdout=writer, stderr=writer, timeout=NEVER, check=False)
    os.close(writer)
    assert done.returncode == 0
    assert hook.names() == ["100.post-start"]


def test_starts_no_process():
    """As a user who may have no process at all, so that any fork fails."""
    if os.geteuid() != 0:
        pytest.skip("becoming another user needs root")
    with_room = Path("/tmp") / f"longcord-hook-{os.getpid()}"
    with_room.mkdir(mode=0o755)
    try:
        hook = Hook(with_room)
        script = with_room / "hookscript"
        shutil.copy(SCRIPT, script)
        for path in [with_room, *with_room.rglob("*")]:
            shutil.chown(path, "nobody")

        def no_process():
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))

        hook.run("100", "post-start", command=[str(script)], user="nobody", preexec_fn=no_process)
        assert hook.names() == ["100.post-start"]
        forking = subprocess.run(["/bin/sh", "-c", "(true); true"], user="nobody", check=False,
                                 preexec_fn=no_process, capture_output=True, timeout=NEVER)
        assert forking.returncode != 0  # the limit does what this test relies on
    finally:
        shutil.rmtree(with_room)
