"""The way into a machine: one OpenSSH connection kept open, commands and forwarded sockets multiplexed on it."""

import io
import shlex
import subprocess
import tarfile
from pathlib import Path


class Failed(AssertionError):
    """A command in a machine that exited with an error."""


class Ssh:
    def __init__(self, port, key, control):
        self.control = control
        self.options = [
            "-F", "none", "-S", str(control), "-i", str(key), "-p", str(port), "-o", "BatchMode=yes",
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
            "-o", "KexAlgorithms=curve25519-sha256", "-o", "Ciphers=aes128-gcm@openssh.com",
            "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=8",
        ]

    def connect(self):
        """Opens the connection; raises until the machine's sshd answers."""
        self.close()
        subprocess.run(["ssh", *self.options, "-o", "ControlMaster=yes", "-f", "-N", "root@127.0.0.1"], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    def connected(self):
        return subprocess.run(self._ctl("check"), stderr=subprocess.DEVNULL).returncode == 0

    def close(self):
        subprocess.run(self._ctl("exit"), stderr=subprocess.DEVNULL)
        self.control.unlink(missing_ok=True)

    def forward(self, local, remote):
        """Makes a socket in the machine reachable here as `local`: a unix one by its path, a TCP one by "address:port"."""
        route = ["-L", f"{local}:{remote}"]
        subprocess.run(self._ctl("cancel", *route), stderr=subprocess.DEVNULL)  # of another process, perhaps
        if isinstance(local, Path):
            local.unlink(missing_ok=True)
        subprocess.run(self._ctl("forward", *route), check=True)

    def _ctl(self, verb, *options):
        return ["ssh", *self.options, "-O", verb, *options, "root@127.0.0.1"]

    def argv(self, command):
        return ["ssh", *self.options, "root@127.0.0.1", command]

    def run(self, command, check=True, timeout=120, input=None):
        """Runs a shell command line as root and returns its standard output; CompletedProcess if not `check`."""
        if not isinstance(command, str):
            command = shlex.join(command)
        data = input.encode() if isinstance(input, str) else input
        source = {"input": data} if data is not None else {"stdin": subprocess.DEVNULL}
        done = subprocess.run(self.argv(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, **source)
        done.stdout, done.stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        if not check:
            return done
        if done.returncode != 0:
            raise Failed(f"exit status {done.returncode} of: {command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def put_tree(self, folder, destination="/"):
        """Copies a folder's content, with modes, owned by root."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(folder, ".", filter=owned_by_root)
        self.run(f"mkdir -p {shlex.quote(destination)} && tar -x --no-overwrite-dir -f - -C {shlex.quote(destination)}",
                 input=archive.getvalue())


def owned_by_root(member):
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
