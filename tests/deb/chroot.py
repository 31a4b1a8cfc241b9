# SPDX-License-Identifier: MIT
"""A clean Debian in a folder, made with the package sources that this machine uses itself, and kept below
~/.cache/longcord-deb, with the packages it fetched. No service starts in it, and it has its own /proc."""
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/lab"))
from lab import rootfs  # noqa: E402  (the lab asks apt in the same way)

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "longcord-deb"
# As a container's Debian has it: "service" and "invoke-rc.d" do nothing.
NO_SERVICES = "#!/bin/sh\nexit 101\n"


def base(release=None, updates=True):
    """The tree that all others are copies of. Made anew where the sources are others than then. Packages are built in one
    without updates: they shall not ask for a library that only an updated machine has."""
    suite, sources = rootfs.debian_sources(release, security=updates)
    if not updates:
        sources = "".join(line for line in sources.splitlines(keepends=True) if line.split()[3] == suite)
    kind = f"{suite}-{'machine' if updates else 'build'}"
    tree = CACHE / f"{kind}-{hashlib.sha256(sources.encode()).hexdigest()[:12]}"
    if tree.exists():
        return tree
    for old in CACHE.glob(f"{kind}-*"):
        shutil.rmtree(old)
    CACHE.mkdir(parents=True, exist_ok=True)
    made = tree.with_suffix(".new")
    shutil.rmtree(made, ignore_errors=True)
    done = subprocess.run(
        ["mmdebstrap", "--mode=root", "--variant=minbase", "--quiet", "--include=debian-archive-keyring",
         "--dpkgopt=force-unsafe-io", "--dpkgopt=path-exclude=/usr/share/locale/*",
         *(f"--aptopt={line}" for line in rootfs.proxy_settings()),
         "--customize-hook=rm -f $1/etc/resolv.conf", "--skip=cleanup/apt/lists",
         suite, made, "-"], input=sources, text=True)
    if done.returncode != 0:
        shutil.rmtree(made, ignore_errors=True)
        raise SystemExit(f"no Debian {suite} could be made, as said above, from the package sources of this machine "
                         f"(/etc/apt):\n{sources}")
    policy = made / "usr/sbin/policy-rc.d"
    policy.write_text(NO_SERVICES)
    policy.chmod(0o755)
    (made / "etc/apt/apt.conf.d/99tests").write_text(
        'APT::Install-Recommends "false";\nBinary::apt::APT::Keep-Downloaded-Packages "true";\n')
    made.rename(tree)
    return tree


class Chroot:
    """What changes lies in memory, over trees that stay as they are. tests/run gives the tests a mount namespace of
    their own, so that nothing stays mounted if they are killed."""

    def __init__(self, *trees, size="2G"):
        self.folder = Path(tempfile.mkdtemp(prefix="longcord-deb-"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "longcord-deb", self.folder], check=True)
        self.changes, self.root = self.folder / "changes", self.folder / "root"
        for name in (self.changes, self.root, self.folder / "work"):
            name.mkdir()
        self.trees = trees
        lower = ":".join(map(str, trees))
        subprocess.run(["mount", "-t", "overlay", "longcord-deb", "-o",
                        f"lowerdir={lower},upperdir={self.changes},workdir={self.folder}/work", self.root], check=True)
        (self.root / "etc/resolv.conf").unlink(missing_ok=True)
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        self.archives = CACHE / "archives"
        (self.archives / "partial").mkdir(parents=True, exist_ok=True)

    def close(self):
        subprocess.run(["umount", self.root, self.folder], check=True)
        self.folder.rmdir()

    def path(self, name):
        return self.root / name.lstrip("/")

    def try_run(self, *words, binds=None, environment=None, timeout=600, log=subprocess.PIPE, **more):
        """In namespaces of its own, so that nothing stays mounted, and no process stays. stderr is in stdout, or both in
        the file `log`. Folders of this machine can be seen there: binds={folder here: "/folder/there"}."""
        binds = {self.archives: "/var/cache/apt/archives", **(binds or {})}
        mounts = "".join(f'mount --bind {shlex.quote(str(here))} "$1{there}" && ' for here, there in binds.items())
        inside = f'{mounts}mount -t proc proc "$1/proc" && exec chroot "$@"'
        return subprocess.run(
            ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "sh", "-c", inside, "sh",
             self.root, *words],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8",
                 **(environment or {})},
            stdout=log, stderr=subprocess.STDOUT, text=True, timeout=timeout, **more)

    def run(self, *words, **more):
        done = self.try_run(*words, **more)
        assert done.returncode == 0, f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}"
        return done.stdout

    def apt(self, *words):
        """As an administrator would, without questions; a changed conffile stays."""
        return self.run("apt-get", "-qy", "-o", "Dpkg::Use-Pty=0", "-o", "Dpkg::Options::=--force-confold", *words)

    def install(self, debs, *options):
        """From files, through apt, so that only declared dependencies come along."""
        there = self.path("/tmp/debs")
        shutil.rmtree(there, ignore_errors=True)
        there.mkdir()
        for deb in debs:
            shutil.copy(deb, there)
        said = self.apt("install", *options, *sorted(f"/tmp/debs/{deb.name}" for deb in debs))
        shutil.rmtree(there)
        return said

    def file_list(self):
        """Everything but what apt and dpkg keep for themselves, logs and caches."""
        passed_over = ("var/lib/apt/", "var/lib/dpkg/", "var/cache/", "var/log/", "tmp/", "etc/resolv.conf",
                       "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/.pwd.lock",
                       "var/lib/systemd/deb-systemd-helper-", "run/sshd")
        names = set()
        for folder, folders, files in os.walk(self.root):
            for name in folders + files:
                path = os.path.relpath(os.path.join(folder, name), self.root)
                if not path.startswith(passed_over):
                    names.add(path)
        return names
