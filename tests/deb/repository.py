# SPDX-License-Identifier: MIT
"""packaging/repository, with a key of the test's own."""
import os
import subprocess
import tempfile
from pathlib import Path

COMMAND = Path(__file__).resolve().parents[2] / "packaging/repository"
OWNER = "longcord-test@example.org"


class Repository:
    def __init__(self, folder):
        self.folder = folder
        # gpg's agent listens below its home, and a unix socket's path must be short.
        self.home = tempfile.TemporaryDirectory(prefix="longcord-gpg-")
        self.gpg("--quick-generate-key", "--passphrase", "", OWNER, "ed25519", "sign", "never")

    def gpg(self, *words):
        return subprocess.run(["gpg", "--batch", "--quiet", *words], env=self.environment(), check=True,
                              capture_output=True, text=True).stdout

    def environment(self):
        return {**os.environ, "GNUPGHOME": self.home.name}

    def try_publish(self, *debs, key=OWNER):
        return subprocess.run([COMMAND, self.folder, key, *debs], env=self.environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)

    def publish(self, *debs):
        done = self.try_publish(*debs)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def close(self):
        subprocess.run(["gpgconf", "--kill", "all"], env=self.environment())
        self.home.cleanup()


def source(url, suite, key="/etc/apt/keyrings/longcord.asc"):
    """What a machine that trusts it has in /etc/apt/sources.list.d/longcord.sources."""
    return f"Types: deb\nURIs: {url}\nSuites: {suite}\nComponents: main\nSigned-By: {key}\n"
