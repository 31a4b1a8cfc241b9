# SPDX-License-Identifier: MIT
"""longcord-portal as it is set up: TLS, addresses, a node's, and its user."""
import json
import os
import socket
import ssl
import subprocess

import pytest
from host_world import DIES_WITH_US, binary, wait
from portal_world import REPOSITORY, Browser, Portal, code_of, pi, raw  # noqa: F401



def test_tls_with_a_certificate_of_ones_own(pi, tmp_path):
    key, certificate = tmp_path / "portal.key", tmp_path / "portal.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    portal = Portal(pi, f"tls: {{ certificate: {certificate}, key: {key} }}\n").start()
    try:
        class Secure(Browser):
            def connect(self):
                context = ssl.create_default_context(cafile=str(certificate))
                return __import__("http.client").client.HTTPSConnection("127.0.0.1", self.port, timeout=40, context=context)
        page = Secure(portal.port)
        answer = page.set_up(code_of(pi))
        assert answer.status == 200 and "; Secure" in answer.headers["Set-Cookie"]
        assert answer.headers["Set-Cookie"].startswith("__Host-longcord=")
        stream = page.stream("/api/stream")
        stream.until("status")
        stream.close()
        assert raw(portal, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[:4] != b"HTTP"
        assert page.get("/api/status").status == 200
    finally:
        portal.close()


@pytest.mark.parametrize("settings, code", [
    ("", 0), ("lisen: [ '::' ]", 78), ("listen: []", 78), ("tls: { key: /x }", 78)])
def test_settings_are_checked(tmp_path, settings, code):
    config = tmp_path / "portal.yaml"
    config.write_text(settings)
    done = subprocess.run([binary("longcord-portal"), "--check-config", "--config", config], capture_output=True,
                          text=True)
    assert done.returncode == code, done.stderr
    assert code == 0 or f"{config}:1" in done.stderr


def refused_start(pi, settings):
    portal = Portal(pi)
    portal.config.write_text(settings)
    done = subprocess.run(portal.command(), capture_output=True, text=True, timeout=60,
                          env={**os.environ, "LONGCORD_ROOT": str(pi.root)})
    assert done.returncode == 1
    return done.stderr


def test_an_address_that_cannot_be_had_ends_it_with_words(pi):
    said = refused_start(pi, "listen: [ 192.0.2.1 ]")
    assert "cannot listen on 192.0.2.1:8080" in said and '"listen" in portal.yaml' in said
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in refused_start(
            pi, f"listen: [ '127.0.0.1:{port}' ]")


def test_a_certificate_that_is_none_ends_it_with_words(pi, tmp_path):
    for name in ("one", "other"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.crt", "-days", "2",
                        "-subj", "/CN=localhost"], check=True, capture_output=True)
    (tmp_path / "text").write_text("no certificate\n")
    (tmp_path / "folder").mkdir()
    for certificate, key, blamed in [("none", "one.key", "none"), ("one.crt", "none", "none"),
                                     ("text", "one.key", "text"), ("one.crt", "text", "text"),
                                     ("folder", "one.key", "folder"), ("one.crt", "other.key", "other.key"),
                                     ("one.key", "one.key", "one.key")]:
        said = refused_start(pi, f"listen: [ '127.0.0.1:18080' ]\n"
                             f"tls: {{ certificate: {tmp_path / certificate}, key: {tmp_path / key} }}\n")
        assert f"tls: {tmp_path / blamed}: " in said and "user longcord-portal can read" in said, said


def test_a_nodes_portal_is_for_that_machine_only(tmp_path):
    config = tmp_path / "portal.yaml"
    config.write_text("listen: [ '0.0.0.0:8080' ]\n")
    done = subprocess.run([binary("longcord-portal"), "--role", "host", "--config", config], capture_output=True, text=True)
    assert done.returncode == 78 and f"{config}: 'listen' has 0.0.0.0" in done.stderr and "ssh -L" in done.stderr


def test_on_a_node_it_shows_and_changes_nothing(world):
    world.rules(100, "# a comment\n3-9 class=hid  # another port\n!3-9.1\n")
    wait(lambda: world.vm(100))
    portal = Portal(world, role="host").start()
    try:
        page = portal.browser()
        assert page.set_up(code_of(world)).status == 200
        assert page.get("/api/session").json["role"] == "host"
        status = page.get("/api/status").json
        assert status["role"] == "host" and status["devices"][0]["place"] == "3-4"
        explained = page.get("/api/explain?place=3-4").json
        assert explained["device"]["place"] == "3-4" and "outcome" in explained
        for path in ("/api/console?name=3-4", "/api/discovered"):
            assert page.get(path).status == 404, path
        (vm,) = status["vms"]
        assert vm["rules"] == [{"line": 2, "rule": "3-9 class=hid"}, {"line": 3, "rule": "!3-9.1"}]
        for path in ("/api/mode", "/api/detach", "/api/resume", "/api/test", "/api/join", "/api/leave",
                     "/api/serial-allow"):
            answer = page.post(path, {"place": "3-4", "all": True})
            assert answer.status == 403 and "command line" in answer.error, path
        stream = page.stream("/api/stream")
        stream.until("status", lambda status: status["role"] == "host")
        stream.close()
    finally:
        portal.close()


def test_on_a_node_it_listens_on_this_machine_only(world):
    portal = Portal(world, role="host")
    portal.config.write_text("log_level: info\n")
    process = subprocess.Popen(portal.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env={**os.environ, "LONGCORD_ROOT": str(world.root)})
    line = process.stdout.readline()  # where it listens, or that somebody else has 8080
    process.kill()
    process.wait()
    assert "127.0.0.1:8080" in line, line


# Its user

INSIDE = r"""
set -e
world=$1 sysusers=$2
mount --make-rprivate /
cp -a /etc "$world/etc-of-its-own"
mount --bind "$world/etc-of-its-own" /etc
systemd-sysusers "$sysusers"
chown longcord-portal:longcord-portal "$world/var/lib/longcord-portal"
exec sleep infinity
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="users are made by root")
def test_its_user_may_ask_what_the_page_needs_and_nothing_else(tmp_path_factory):
    from pairing_world import Pi
    pi = Pi()
    root = pi.root
    (root / "var/lib/longcord-portal").mkdir(parents=True)
    namespace = subprocess.Popen(
        [*DIES_WITH_US, "unshare", "-m", "sh", "-c", INSIDE, "sh", root,
         REPOSITORY / "packaging/sysusers/longcord-portal.conf"])
    portal = None
    try:
        wait(lambda: namespace.poll() is not None or
             (root / f"../../proc/{namespace.pid}/comm").resolve().read_text() == "sleep\n")
        assert namespace.poll() is None
        inside = ["nsenter", "-t", str(namespace.pid), "-m"]
        as_portal = [*inside, "setpriv", "--reuid", "longcord-portal", "--regid", "longcord-portal", "--clear-groups"]
        pi.command = lambda: [*inside, *DIES_WITH_US, binary("longcord-pi")]
        pi.serve()
        socket_file = root / "run/longcord/pi.sock"
        assert socket_file.stat().st_mode & 0o777 == 0o660 and socket_file.stat().st_gid != 0
        # Where a build lies, another user may not read.
        program = root / "longcord-portal"
        program.write_bytes(open(binary("longcord-portal"), "rb").read())
        program.chmod(0o755)
        subprocess.run(["cp", "-r", REPOSITORY / "src/portal/web", root / "web"], check=True)

        class AsItsUser(Portal):
            def command(self):
                return [*as_portal, str(program), "--web", str(root / "web")]
        portal = AsItsUser(pi).start()
        page = portal.browser()
        assert page.set_up(code_of(pi)).status == 200, portal.text()
        assert page.get("/api/status").status == 200
        assert page.post("/api/resume", {"all": True}).status == 200
        assert (root / "var/lib/longcord-portal/password").stat().st_uid != 0

        def ask(verb):
            say = ("import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
                   "s.sendall(sys.argv[2].encode()+b'\\n')\nprint(s.makefile().readline())")
            done = subprocess.run([*as_portal, "/usr/bin/python3", "-c", say, str(socket_file),
                                   json.dumps({"verb": verb})], capture_output=True, text=True)
            return json.loads(done.stdout)
        assert ask("status")["ok"] and ask("serial-allow")["ok"]
        for verb in ("portal-code", "quiesce", "metrics"):
            refused = ask(verb)
            assert not refused["ok"] and refused["error"]["kind"] == "refused", verb
    finally:
        if portal:
            portal.close()
        namespace.kill()
        namespace.wait()
        pi.close()
