# SPDX-License-Identifier: MIT
"""Serial servers as their users run them, each on pseudo terminals that have modem lines
(modem_lines.c), with the caller as the device on the other end."""
import json
import os
import pty
import socket
import subprocess
import time
import tty
from pathlib import Path

from bridges import Bridges
from esptool_like import classic_reset, open_port
from tools import REPOSITORY, both_on, compiled, line_changes

LISTEN, TIME_WAIT = "0A", "06"  # linux/include/net/tcp_states.h


def wait(condition, what, seconds=30):
    end = time.monotonic() + seconds  # only what is broken needs so long
    while not (answer := condition()):
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.01)
    return answer


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def tcp_states(port):
    """Of all sockets whose own port this is."""
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return [row[3] for row in rows if int(row[1].split(":")[1], 16) == port]


class Port:
    """One pseudo terminal and the TCP port at which it is served."""

    def __init__(self, folder, telnet):
        self.telnet = telnet
        self.master, self.slave = pty.openpty()  # held open: what comes early is not lost
        tty.setraw(self.slave)
        self.device = os.ttyname(self.slave)
        self.tcp = free_port()
        self.lines = folder / f"lines-{self.tcp}"
        self.process = None

    def close(self):
        os.close(self.master)
        os.close(self.slave)

    def pids(self):
        """With its children: socat has one for each client."""
        me = self.process.pid
        return [me, *map(int, Path(f"/proc/{me}/task/{me}/children").read_text().split())]

    def idle(self):
        return len(self.pids()) == 1 and all(state in (LISTEN, TIME_WAIT) for state in tcp_states(self.tcp))

    def cpu_seconds(self):
        """Of the server, with what its ended children took."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def load(self, action, size, count=1):
        """What load.cpp says of it. ser2net turns clients away for a moment after one has left."""
        command = [str(compiled("load.cpp")), action, "--port", str(self.tcp), "--master", str(self.master),
                   "--size", str(size), "--count", str(count), *(["--telnet"] if self.telnet else [])]
        for _ in range(50):
            done = subprocess.run(command, pass_fds=[self.master], capture_output=True, text=True)
            if done.returncode != 3:
                break
            time.sleep(0.1)
        assert done.returncode == 0, f"{self.process.args}: {done.stderr}"
        wait(self.idle, "the server lets its client go")
        return json.loads(done.stdout)

    def reset_gap(self):
        """For how many seconds DTR and RTS are on together when a client puts a board into its loader."""
        with open_port(self.tcp) as client:
            before = len(line_changes(self.lines))
            classic_reset(client)
            moves = wait(lambda: self.loader_entered(before), "the lines of a reset")
        wait(self.idle, "the server lets its client go")
        return both_on(moves)

    def loader_entered(self, before):
        moves = line_changes(self.lines)[before:]
        lines = [move[1:] for move in moves]
        return moves if (True, False) in lines and lines[-1] == (False, False) else None


class Server:
    """A context: servers of `kind` for `count` ports, which are what it yields."""

    def __init__(self, kind, folder, count=1):
        self.kind, self.folder, self.count = kind, Path(folder), count

    def __enter__(self):
        self.ports = [Port(self.folder, self.kind.telnet) for _ in range(self.count)]
        groups = [self.ports] if self.kind.serves_many else [[port] for port in self.ports]
        self.processes = []
        for group in groups:
            lines = group[0].lines
            environment = {**os.environ, "LD_PRELOAD": str(compiled("modem_lines.c")), "MODEM_LINES": str(lines)}
            log = lines.with_suffix(".log").open("w")
            process = subprocess.Popen(self.kind.command(group, self.folder), stdout=log, stderr=log, env=environment)
            self.processes.append(process)
            for port in group:
                port.process = process
        for port in self.ports:
            wait(lambda: LISTEN in tcp_states(port.tcp), f"{port.process.args} listens")
        return self.ports

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(30)
        for port in self.ports:
            port.close()

    def memory(self):
        """Kilobytes of all processes together; pss counts what several share only once."""
        pids = {pid for port in self.ports for pid in port.pids()}
        rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in pids]
        return {key: sum(int(line.split()[1]) for rows in rollups for line in rows if line.startswith(name))
                for key, name in (("rss_kb", "Rss:"), ("pss_kb", "Pss:"))} | {"processes": len(pids)}


def our(program):
    return Path(os.environ.get("LONGCORD_BIN", REPOSITORY / "build" / "release" / "bin")) / program


class Longcord:
    telnet, serves_many = True, False

    def command(self, ports, _):
        return [str(our("longcord")), "serial", "serve", ports[0].device, "--mode", "esp", "--listen", f"127.0.0.1:{ports[0].tcp}"]


class LongcordPi:
    """The service, with a CP2102 at each place; its TCP ports are those of pi.yaml."""
    telnet, serves_many = True, True

    def command(self, ports, folder):
        root = folder / f"pi-{ports[0].tcp}"
        bridges = Bridges(root)
        places = {f"1-{number}": port for number, port in enumerate(ports, 1)}
        for place, port in places.items():
            bridges.describe(place, f"ttyUSB{port.tcp}")
            (bridges.dev / f"ttyUSB{port.tcp}").symlink_to(port.device)
            bridges.announce(place)
        for file, text in {
                "etc/longcord/pi.yaml": {"usbip_port": free_port(), "serial": {
                    "listen": ["127.0.0.1"], "ports": {place: port.tcp for place, port in places.items()}}},
                "var/lib/longcord/modes.json": {"places": [], "devices": [
                    {"id": "10c4:ea60", "serial": "", "mode": "serial"}]}}.items():
            (root / file).parent.mkdir(parents=True)
            (root / file).write_text(json.dumps(text))
        return ["env", f"LONGCORD_ROOT={root}", str(our("longcord-pi"))]


class Ser2net:
    """As Debian ships it, with RFC 2217 switched on; or with what its manual has for low latency."""
    telnet, serves_many = True, True

    def __init__(self, tuned):
        self.tuned = tuned

    def command(self, ports, folder):
        tcp = "tcp(nodelay)" if self.tuned else "tcp"
        options = ["  options:", "    chardelay: false"] if self.tuned else []
        text = ["%YAML 1.1", "---"]
        for port in ports:
            text += [f"connection: &port{port.tcp}",
                     f"  accepter: telnet(rfc2217),{tcp},127.0.0.1,{port.tcp}",
                     f"  connector: serialdev,{port.device},115200n81,local", *options]
        config = folder / f"ser2net-{ports[0].tcp}.yaml"
        config.write_text("\n".join(text) + "\n")
        return ["/usr/sbin/ser2net", "-n", "-u", "-c", str(config)]


class Pyserial:
    """The example that Debian's package brings along."""
    telnet, serves_many = True, False

    def command(self, ports, _):
        example = "/usr/share/doc/python3-serial/examples/rfc2217_server.py"
        return ["/usr/bin/python3", example, "-p", str(ports[0].tcp), ports[0].device]


class Socat:
    """Bytes and nothing else: the floor."""
    telnet, serves_many = False, False

    def command(self, ports, _):
        return ["socat", "-t0", f"TCP-LISTEN:{ports[0].tcp},bind=127.0.0.1,reuseaddr,nodelay,fork",
                f"{ports[0].device},raw,echo=0"]


SERVICE = LongcordPi()
SERVERS = {"longcord": Longcord(), "ser2net": Ser2net(tuned=False), "ser2net-tuned": Ser2net(tuned=True),
           "pyserial": Pyserial(), "socat": Socat()}
