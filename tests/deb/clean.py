# SPDX-License-Identifier: MIT
"""Builds the packages in a clean Debian of a release, for one of its architectures, and has them checked by the lintian
of that release. What is not this machine's architecture is cross-compiled: nothing runs emulated."""
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from chroot import CACHE, REPOSITORY, Chroot, base

RELEASES = {"bookworm": "12", "trixie": "13"}
ARCHITECTURES = ("amd64", "arm64", "armhf")
# Where it is built decides what ccache knows; files in the packages name no folder.
SOURCE = "/build/longcord"


def output(release, architecture):
    return REPOSITORY / f"build/deb/{release}-{architecture}"


def commit():
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def is_built(release, architecture):
    """Of what is committed now."""
    made_of = output(release, architecture) / "commit"
    return made_of.exists() and made_of.read_text() == commit()


def build(release, architecture):
    """Returns the folder with the packages and the .changes of it."""
    begun, out, made_of = time.monotonic(), output(release, architecture), commit()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    chroot = Chroot(base(release, updates=False), size="8G")
    try:
        with open(out / "build.log", "w") as log:
            prepare(chroot, release, architecture, log)
            compile_packages(chroot, architecture, log)
        for made in chroot.path("/build").glob("longcord*_*"):
            shutil.copy(made, out)
        check(chroot, out)
        (out / "commit").write_text(made_of)
    finally:
        chroot.close()
    print(f"== {release} {architecture}: built and checked in {time.monotonic() - begun:.0f} s", flush=True)
    return out


def prepare(chroot, release, architecture, log):
    tools = ["build-essential", "ccache", "lintian"]
    if architecture != native():
        chroot.run("dpkg", "--add-architecture", architecture)
        tools.append(f"crossbuild-essential-{architecture}")
    chroot.apt("update")
    log.write(chroot.apt("install", *tools))
    chroot.path(SOURCE).mkdir(parents=True)
    subprocess.run([REPOSITORY / "tests/deb/source", chroot.path(SOURCE), RELEASES[release], release], check=True)
    log.write(chroot.apt("-a", architecture, *profiles(architecture), "build-dep", SOURCE))


def compile_packages(chroot, architecture, log):
    cache = CACHE.parent / "ccache"
    cache.mkdir(parents=True, exist_ok=True)
    chroot.path("/ccache").mkdir()
    log.flush()
    done = chroot.try_run(
        "sh", "-c", f'cd {SOURCE} && exec dpkg-buildpackage -us -uc -b "$@"', "sh", "-a", architecture,
        *profiles(architecture),
        binds={cache: "/ccache"}, timeout=4 * 3600, log=log,
        environment={"CMAKE_CXX_COMPILER_LAUNCHER": "ccache", "CCACHE_DIR": "/ccache", "CCACHE_BASEDIR": SOURCE,
                     "CCACHE_NOHASHDIR": "1", "DEB_BUILD_OPTIONS": f"nocheck parallel={os.cpu_count()}"})
    if done.returncode != 0:
        end = Path(log.name).read_text()[-4000:]
        raise SystemExit(f"{end}\nthe packages could not be built: {log.name}")


def check(chroot, out):
    changes, = chroot.path("/build").glob("*.changes")
    done = chroot.try_run("lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0",
                          f"/build/{changes.name}")
    (out / "lintian.log").write_text(done.stdout)
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout}\nlintian objects to {out}: change what it names, or write an override with its reason")


def profiles(architecture):
    """A native build has none, as anybody's has none: packages say with which they were built."""
    return [] if architecture == native() else ["--build-profiles=cross,nocheck"]


def native():
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()


def main(arguments):
    every = [(release, architecture) for release in RELEASES for architecture in ARCHITECTURES]
    wanted = every if arguments == ["--all"] else [tuple(arguments)]
    if wanted[0] not in every:
        known = ", ".join(" ".join(pair) for pair in every)
        raise SystemExit(f"usage: tests/deb/build [--all | RELEASE ARCHITECTURE], with one of: {known}")
    for release, architecture in wanted:
        build(release, architecture)


if __name__ == "__main__":
    main(sys.argv[1:])
