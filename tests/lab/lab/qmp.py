"""Short conversations with a QEMU over QMP: connect, do a batch, leave."""

import json
import socket


class QmpError(RuntimeError):
    """What QEMU answered instead of a result."""


def converse(path, commands, timeout=30):
    """Runs `commands` ((name, arguments) pairs) in one session and returns their results."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(str(path))
        with connection.makefile("rw", encoding="utf-8") as stream:
            if "QMP" not in json.loads(stream.readline() or "{}"):
                raise QmpError(f"{path}: no QMP greeting")
            ask(stream, "qmp_capabilities", {})
            return [ask(stream, name, arguments) for name, arguments in commands]


def ask(stream, name, arguments):
    stream.write(json.dumps({"execute": name, "arguments": arguments, "id": name}) + "\n")
    stream.flush()
    while True:
        line = stream.readline()
        if not line:
            raise QmpError(f"{name}: connection closed before the reply")
        reply = json.loads(line)
        if "error" in reply:
            raise QmpError(f"{name}: {reply['error']['desc']}")
        if reply.get("id") == name:
            return reply["return"]


def command(path, name, /, timeout=30, **arguments):
    return converse(path, [(name, arguments)], timeout)[0]


def hmp(path, line, timeout=30):
    """A line of the human monitor, as `qm monitor` sends it, and the text it prints."""
    return command(path, "human-monitor-command", timeout=timeout, **{"command-line": line})
