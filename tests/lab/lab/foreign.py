# SPDX-License-Identifier: MIT
"""Runs a command that meets programs of another architecture: lab/foreign.py COMMAND...

The kernel is told what runs them (binfmt_misc) in a user namespace of the command's own, with all users mapped to
themselves; so this machine's own settings stay as they are, and what the command makes belongs to whom it should."""

import ctypes
import os
import sys

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
BINFMT = "/proc/sys/fs/binfmt_misc"
# An ELF file for AArch64; as Debian's qemu-user-static registers it.
AARCH64 = (rb":aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:"
           rb"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:"
           rb"/usr/bin/qemu-aarch64-static:OCF")
libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(kind, path):
    check(libc.mount(kind.encode(), path.encode(), kind.encode(), 0, None), f"mount {kind} at {path}")


def run(command):
    """Returns its exit status."""
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID), "unshare")
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os.setgid(0)
        os.setuid(0)
        first = os.fork()
        if first == 0:  # process 1 of its own
            mount("proc", "/proc")
            mount("binfmt_misc", BINFMT)
            with open(f"{BINFMT}/register", "wb") as register:
                register.write(AARCH64)
            os.execvp(command[0], command)
        os._exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]))
    os.read(ready[0], 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{child}/{name}", "w") as map_:
            map_.write("0 0 65536\n")
    os.write(go[1], b"x")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
