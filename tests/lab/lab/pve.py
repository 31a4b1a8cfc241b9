"""What the nodes share of /etc/pve: a folder of this machine, brought into each node by virtiofs.

In the nodes that is FUSE, as pmxcfs is: inotify tells what is done through a node's own mount, and nothing of what
another node writes. The image's lab-pve mounts it, and adds what pmxcfs makes up for each node by itself.
"""

import subprocess

from lab.wait import wait

SERVER = "/usr/lib/qemu/virtiofsd"  # of Debian's qemu-system-common


def make(folder, node):
    """Only these folders are shared; pmxcfs has no others that matter here."""
    for name in ("longcord", "mapping", "priv", f"nodes/{node}/qemu-server", f"nodes/{node}/lxc"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "priv").chmod(0o700)


def serve(folder, socket, log):
    """Starts the file server of one machine; it ends with the machine's QEMU."""
    socket.unlink(missing_ok=True)
    # Nothing is cached: what another node has written is seen at the next look.
    line = [SERVER, f"--socket-path={socket}", "-o", f"source={folder}", "-o", "cache=none", "-o", "sandbox=chroot", "-f"]
    server = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    wait(lambda: socket.exists() or server.poll() is not None, 30, "virtiofsd to listen")
    if server.poll() is not None:
        raise RuntimeError(f"virtiofsd ended with {server.returncode}; see {log.name}")
