# SPDX-License-Identifier: MIT
"""longcord-portal beside a longcord-pi, both real, below one folder; and a browser of few words."""
import http.client
import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from host_world import DIES_WITH_US, binary, wait
from pairing_world import free_port
from test_pi_serial import SerialPi

REPOSITORY = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"


class Portal:
    """`machine` has .root and .cli (a Pi of test_pi or of pairing_world)."""

    def __init__(self, machine, settings="", address="127.0.0.1", role="pi"):
        self.root = Path(machine.root)
        self.role, self.port = role, free_port()
        self.log = self.root / "portal.log"
        self.config = self.root / "etc/longcord/portal.yaml"
        self.config.write_text(f"listen: [ '{address}:{self.port}' ]\n{settings}")
        self.process = None

    def command(self):
        return [*DIES_WITH_US, binary("longcord-portal"), "--role", self.role,
                "--web", str(REPOSITORY / "src/portal/web")]

    def start(self):
        with self.log.open("w") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log,
                                            env={**os.environ, "LONGCORD_ROOT": str(self.root)})
        wait(lambda: self.process.poll() is not None or "longcord-portal 0" in self.text(), self.text)
        assert self.process.poll() is None, self.text()
        return self

    def text(self):
        return self.log.read_text()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(30) == 0, self.text()

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        log = self.text() if self.log.exists() else ""
        assert "Sanitizer" not in log and "runtime error" not in log, log

    def browser(self):
        return Browser(self.port)


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def error(self):
        return self.json["error"]["message"]


class Browser:
    """Keeps its cookie and its CSRF token."""

    def __init__(self, port, host="127.0.0.1"):
        self.host, self.port, self.cookie, self.csrf = host, port, None, None

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=40)

    def request(self, method, path, body=None, **headers):
        connection = self.connect()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            headers.setdefault("Cookie", self.cookie)
        connection.request(method, path, body, {name: value for name, value in headers.items() if value is not None})
        answer = Answer(connection.getresponse())
        connection.close()
        cookie = answer.headers.get("Set-Cookie")
        if cookie:
            self.cookie = cookie.split(";")[0]
        return answer

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    def post(self, path, value=None, **headers):
        headers.setdefault("Content_Type", "application/json")
        headers.setdefault("X_CSRF_Token", self.csrf)
        answer = self.request("POST", path, json.dumps(value if value is not None else {}), **headers)
        if answer.status == 200 and answer.json.get("csrf"):
            self.csrf = answer.json["csrf"]
        return answer

    def set_up(self, code, password=PASSWORD):
        return self.post("/api/setup", {"code": code, "password": password})

    def log_in(self, password=PASSWORD):
        return self.post("/api/login", {"password": password})

    def stream(self, path):
        return Stream(self, path)


class Stream:
    """Server-sent events, one after the other."""

    def __init__(self, browser, path):
        self.connection = browser.connect()
        self.connection.request("GET", path, headers={"Cookie": browser.cookie})
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["Content-Type"] == "text/event-stream"

    def next(self):
        """(name, data), or None at its end."""
        name = None
        for line in self.response:
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                return name, line[6:]
        return None

    def until(self, name, fits=lambda data: True):
        while event := self.next():
            if event[0] == name:
                data = json.loads(event[1]) if name != "bytes" else event[1]
                if fits(data):
                    return data
        raise AssertionError(f"no {name} came")

    def close(self):
        self.connection.close()


def code_of(pi):
    """As root sees it."""
    done = subprocess.run([binary("longcord"), "portal-code"], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "LONGCORD_ROOT": str(pi.root)})
    assert done.returncode == 0, done.stderr
    assert "10 minutes" in done.stderr
    return done.stdout.strip()


@pytest.fixture
def pi(tmp_path):
    machine = SerialPi(tmp_path)
    machine.serve()
    yield machine
    if machine.process.poll() is None:
        machine.process.kill()
        machine.process.wait()
    for board in machine.boards.values():
        board.close()
    assert "Sanitizer" not in machine.log.read_text(), machine.log.read_text()


@pytest.fixture
def portal(pi):
    program = Portal(pi).start()
    yield program
    program.close()


@pytest.fixture
def browser(pi, portal):
    """Logged in."""
    page = portal.browser()
    assert page.set_up(code_of(pi)).status == 200
    return page


def raw(portal, data, wait_for_end=True):
    """What comes back on a connection that says just this."""
    with socket.create_connection(("127.0.0.1", portal.port), 40) as client:
        try:
            client.sendall(data)
            if wait_for_end:
                client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it hung up before it heard everything
        out = b""
        try:
            while piece := client.recv(65536):
                out += piece
        except ConnectionResetError:
            pass
        return out
