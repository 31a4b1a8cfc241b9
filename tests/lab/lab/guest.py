"""The nested guest's own word: what it says on its console, and what it answers when told to do something."""

import atexit
import re
import socket
import subprocess
import threading
import time

from lab.ssh import Failed
from lab.wait import wait

NODE_LINE = re.compile(r"LAB (tty|disk|input)([+-]) (\S+)(?: (\S+) serial=(.*) port=(\S+))?")


class Guest:
    def __init__(self, node, vmid):
        self.node = node
        self.vmid = vmid
        self.reader = None
        atexit.register(self.stop_listening)
        self.heard = []          # (seconds since the epoch when it was heard here, line)

    # -- its console ---------------------------------------------------------------------------------------------

    def listen(self, on_another_node=False):
        """Follows the console of the VM's present run, from its first line.

        A guest that goes on after a migration writes to another console: what it said before still counts.
        """
        self.stop_listening()
        heard = self.heard = list(self.heard) if on_another_node else []
        before = len(heard)
        file = self.node.run(f"readlink -f /var/log/lab/{self.vmid}.console").strip()
        lines = int(self.node.run(f"wc -l <{file}"))
        self.reader = subprocess.Popen(self.node.ssh.argv(f"exec tail -n +1 -F {file} 2>/dev/null"),
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        threading.Thread(target=follow, args=(self.reader.stdout, heard), daemon=True).start()
        wait(lambda: len(heard) >= before + lines, 60, f"what guest {self.vmid} has said so far")

    def stop_listening(self):
        if self.reader:
            self.reader.kill()
            self.reader.wait()
            self.reader = None

    def log(self, since=0):
        """The console's lines, from a `mark()` on."""
        if not self.reader or self.reader.poll() is not None:
            self.listen()
        return [line for _, line in self.heard[since:]]

    def mark(self):
        """A point in the log to compare with later."""
        return len(self.log())

    def said(self, words, since=0):
        """Whether a line of the console, from a `mark()` on, holds these words."""
        return any(words in line for line in self.log(since))

    def when(self, pattern, since=0):
        """When (time.time()) the first line matching the regular expression was heard."""
        for moment, line in self.heard[since:]:
            if re.search(pattern, line):
                return moment
        return None

    def when_last(self, pattern, after):
        """When the last line matching it was heard, `after` that moment (time.time())."""
        return max((moment for moment, line in self.heard if moment > after and re.search(pattern, line)), default=None)

    # -- what it sees --------------------------------------------------------------------------------------------

    def sees(self, kind):
        """{"ttyACM0": {"ids": "1a86:55d4", "serial": "0001", "port": "1-1"}} of the nodes of a kind it has now."""
        seen = {}
        for line in self.log():
            found = NODE_LINE.match(line)
            if not found or found[1] != kind:
                continue
            if found[2] == "+":
                seen[found[3]] = {"ids": found[4], "serial": found[5], "port": found[6]}
            else:
                seen.pop(found[3], None)
        return seen

    def wait_ready(self, timeout=600):
        """Waits until the guest answers, freshly booted or continued from a saved state."""
        wait(lambda: self.run("echo ready", timeout=30) == "ready\n", timeout, f"guest {self.vmid} to answer", every=1)

    def wait_tty(self, name="ttyACM0", ids=None, serial=None, timeout=120):
        """Waits until the guest says that it has this tty (of a device with these ids and serial)."""
        return self.wait_node("tty", name, ids, serial, timeout)

    def wait_no_tty(self, name="ttyACM0", timeout=120):
        self.wait_no_node("tty", name, timeout)

    def wait_disk(self, name="sda", ids=None, timeout=120):
        return self.wait_node("disk", name, ids, None, timeout)

    def wait_input(self, ids=None, timeout=120):
        """An input device: what number it gets is of no interest."""
        return self.wait_node("input", None, ids, None, timeout)

    def wait_node(self, kind, name, ids=None, serial=None, timeout=120):
        """`kind` tty, disk or input; `name` None for any. Returns its name with what `sees` tells of it."""
        def there():
            for found, node in self.sees(kind).items():
                if name in (None, found) and ids in (None, node["ids"]) and serial in (None, node["serial"]):
                    return {"name": found, **node}
            raise LookupError(f"guest {self.vmid} sees {self.sees(kind)}")
        return wait(there, timeout, f"guest {self.vmid} to say that {name or kind} {ids or ''} came")

    def wait_no_node(self, kind, name, timeout=120):
        wait(lambda: name not in self.sees(kind), timeout, f"guest {self.vmid} to say that {name} went")

    # -- what it is told -----------------------------------------------------------------------------------------

    def run(self, command, timeout=120):
        """Runs a shell line in the guest (see guest/words for what it knows) and returns its output."""
        path = self.node.folder / f"{self.vmid}.agent"
        self.node.forward(path, f"/run/lab/{self.vmid}.agent")
        tag = f"t{time.time_ns()}"
        with socket.socket(socket.AF_UNIX) as agent:
            agent.settimeout(timeout)
            agent.connect(str(path))
            agent.sendall(f"{tag} {command}\n".encode())
            answer = b""
            end = re.compile(rb"^%s end (\d+)\n" % tag.encode(), re.M)
            while not (ended := end.search(answer)):
                piece = agent.recv(65536)
                if not piece:
                    raise Failed(f"guest {self.vmid} hung up on: {command}")
                answer += piece
        output = answer[:ended.start()].decode(errors="replace")
        if ended[1] != b"0":
            raise Failed(f"exit status {ended[1].decode()} in guest {self.vmid} of: {command}\n{output}")
        return output


def follow(stream, heard):
    for line in stream:
        heard.append((time.time(), line.decode(errors="replace").rstrip("\r\n")))
