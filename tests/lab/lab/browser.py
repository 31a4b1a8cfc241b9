"""Debian's chromium in front of a machine's portal, here and not in the lab: it is told what to do by tests/web."""

import json
import socket
import subprocess

from lab import paths

DRIVEN = paths.REPOSITORY / "tests" / "web" / "driven.mjs"


class Browser:
    """Each word of driven.mjs is a method: browser.see(place="1-1", text="cdc_acm") returns what it answered."""

    def __init__(self, machine):
        # Not loopback, where a browser allows more.
        address = own_address()
        with socket.create_server((address, 0)) as free:
            port = free.getsockname()[1]
        machine.forward(f"{address}:{port}", "127.0.0.1:8080")
        self.process = subprocess.Popen(["node", str(DRIVEN), f"http://{address}:{port}"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __getattr__(self, word):
        def do(**values):
            self.process.stdin.write(json.dumps({"do": word, **values}) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline() or '{"ok": false, "error": "the browser has ended"}')
            assert answer.pop("ok"), answer["error"]
            return answer
        return do

    def close(self):
        """Fails if the page has complained, or asked anybody but its portal."""
        self.process.stdin.close()
        assert self.process.wait(30) == 0


def own_address():
    """One of this machine's, that of the way out; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect(("198.51.100.1", 9))  # RFC 5737: of nobody
        return way.getsockname()[0]
