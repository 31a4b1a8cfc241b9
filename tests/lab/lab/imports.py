"""Who has imported what, at every moment, by the nodes' kernels: vhci's own table."""

import subprocess
import threading
import time

from lab.wait import wait

# Prints the remote bus ids (devid, in hex) on used ports whenever they change; "006" is VDEV_ST_USED (usbip_common.h).
FOLLOW = r"""
import glob, time
last = None
while True:
    used = []
    for file in glob.glob("/sys/devices/platform/vhci_hcd.*/status*"):
        for line in open(file).read().splitlines()[1:]:
            words = line.split()
            if words[2] == "006":
                used.append(words[4])
    if used != last:
        print(" ".join(["used", *used]), flush=True)
        last = used
    time.sleep(0.02)
"""


class ImportWatch:
    """With `with`: follows the vhci ports of some nodes and keeps what it saw, stamped with this machine's clock."""

    def __init__(self, *nodes):
        self.nodes = nodes
        self.seen = []  # (time.time(), role, devids in use), in the order in which it was heard
        self.followers = []

    def __enter__(self):
        for node in self.nodes:
            node.put(FOLLOW, "/root/follow-imports.py")
            follower = subprocess.Popen(node.ssh.argv("exec python3 -u /root/follow-imports.py"), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            threading.Thread(target=self._follow, args=(node.role, follower.stdout), daemon=True).start()
            self.followers.append(follower)
        wait(lambda: {role for _, role, _ in self.seen} == {node.role for node in self.nodes}, 30, "the watch of imports")
        return self

    def __exit__(self, *_error):
        for follower in self.followers:
            follower.kill()
            follower.wait()

    def _follow(self, role, stream):
        for line in stream:
            self.seen.append((time.time(), role, line.split()[1:]))

    def blind(self):
        """Roles whose kernel cannot be watched any more: a watch that saw nothing proves nothing."""
        return [node.role for node, follower in zip(self.nodes, self.followers) if follower.poll() is not None]

    def now(self, node):
        return [devids for _, role, devids in self.seen if role == node.role][-1]

    def shared(self, lasting=0.5):
        """(Begin, end) of the times in which more than one node had an import.

        Two reports that cross on their ways here look like one, for a moment: shorter ones do not count. A node that
        has not noticed that its import is dead has it for seconds.
        """
        have, began, times = {}, None, []
        for moment, role, devids in list(self.seen):
            have[role] = devids
            several = sum(map(bool, have.values())) > 1
            if several and began is None:
                began = moment
            if not several and began is not None:
                times.append((began, moment))
                began = None
        if began is not None:
            times.append((began, time.time()))
        return [(begin, end) for begin, end in times if end - begin > lasting]

    def story(self, since):
        return "\n".join(f"+{moment - since:6.2f} s  {role:6} {' '.join(devids) or '-'}" for moment, role, devids in self.seen)
