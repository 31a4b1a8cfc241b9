# SPDX-License-Identifier: MIT
"""Debian packages that the image has not, for one scenario: downloaded here, where there is a network, and installed in
the machine from the files."""

import re
import subprocess
import tempfile

from lab import paths
from lab.progress import step

DPKG = "DEBIAN_FRONTEND=noninteractive dpkg --force-unsafe-io"
NO_START = "/usr/sbin/policy-rc.d"


def fetch(status, names):
    """The files of these packages, and of all they need beside those in `status` (a dpkg status file's text)."""
    folder = paths.CACHE / "debs"
    (folder / "partial").mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".status") as known:
        known.write(status)
        known.flush()
        # No cache of this status in the place of this machine's own.
        line = ["apt-get", "install", "-qqy", "--no-install-recommends", "-o", f"Dir::State::status={known.name}",
                "-o", f"Dir::Cache::archives={folder}/", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
                "-o", "APT::Sandbox::User=root"]
        # Those that are in the folder already are in the answer too when apt is shown another one.
        listed = subprocess.run([*line, "--print-uris", "-o", f"Dir::Cache::archives={folder}/partial/", *names],
                                stdout=subprocess.PIPE, text=True, check=True).stdout
        subprocess.run([*line, "--download-only", *names], stdout=subprocess.DEVNULL, check=True)
    return [folder / name for name in re.findall(r"^'\S+' (\S+\.deb) ", listed, re.MULTILINE)]


def install(machine, *names):
    """Starts none of their services. Returns what `remove` wants."""
    files = fetch(machine.read("/var/lib/dpkg/status"), names)
    with step(f"installing {', '.join(names)} ({len(files)} packages) in {machine.role}"):
        for file in files:
            machine.put(file, f"/root/debs/{file.name}")
        machine.put("#!/bin/sh\nexit 101\n", NO_START, mode="755")
        try:
            machine.run(f"{DPKG} -i /root/debs/*.deb 2>&1", timeout=900)
        finally:
            machine.run(f"rm -rf /root/debs {NO_START}")
    return [file.name.partition("_")[0] for file in files]


def remove(machine, names):
    with step(f"removing them from {machine.role}"):
        machine.run(f"{DPKG} --purge {' '.join(names)} 2>&1", timeout=900)
