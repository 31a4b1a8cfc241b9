# SPDX-License-Identifier: MIT
"""longcord-portal as a browser and as somebody hostile meets it, beside a real longcord-pi."""
import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import time

import pytest
from host_world import DIES_WITH_US, binary, wait
from portal_world import PASSWORD, REPOSITORY, Browser, Portal, code_of
from test_pi_serial import SerialPi, exchange, outside_address

POSTS = ("/api/mode", "/api/detach", "/api/resume", "/api/test", "/api/join", "/api/leave", "/api/logout",
         "/api/password", "/api/serial-allow")
QUESTIONS = ("/api/status", "/api/events", "/api/stream", "/api/console?name=1-1", "/api/discovered")


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


# Getting in


def test_a_code_of_the_machine_itself_sets_the_password(pi, portal):
    page = portal.browser()
    assert page.get("/api/session").json == {"state": "setup", "csrf": None, "role": "pi", "version": "0.1.0"}
    answer = page.log_in()
    assert answer.status == 409 and "longcord portal-code" in answer.error
    assert page.set_up("AAAA-AAAA").status == 403
    code = code_of(pi)
    answer = page.set_up(code, "short")
    assert answer.status == 400 and "8 characters" in answer.error
    answer = page.set_up(code.lower().replace("-", ""))
    assert answer.status == 200, answer.text
    for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert word in answer.headers["Set-Cookie"]
    assert page.get("/api/session").json["state"] == "ready"
    assert page.get("/api/status").json["role"] == "pi"
    again = portal.browser()
    assert again.set_up(code).status == 403  # it is used
    kept = (pi.root / "var/lib/longcord-portal/password").read_text()
    assert kept.startswith("$y$") and PASSWORD not in kept
    assert (pi.root / "var/lib/longcord-portal/password").stat().st_mode & 0o777 == 0o600


def test_a_password_lets_in_again_and_again_also_after_a_restart(pi, portal, browser):
    portal.stop()
    portal.start()
    page = portal.browser()
    assert page.get("/api/session").json["state"] == "login"
    answer = page.log_in("wrong horse battery")
    assert answer.status == 401 and "not the password" in answer.error and not page.cookie
    assert page.log_in().status == 200
    assert page.get("/api/status").status == 200
    assert page.post("/api/logout").status == 200
    assert page.get("/api/status").status == 401


def test_a_new_password_ends_the_other_sessions_and_their_streams(pi, portal, browser):
    other = portal.browser()
    other.log_in()
    stream = other.stream("/api/stream")
    stream.until("status")
    assert browser.post("/api/password", {"password": "wrong", "new": "another horse"}).status == 403
    assert browser.post("/api/password", {"password": PASSWORD, "new": "x"}).status == 400
    assert browser.post("/api/password", {"password": PASSWORD, "new": "another horse"}).status == 200
    assert browser.get("/api/status").status == 200
    assert other.get("/api/status").status == 401
    while stream.next():
        pass
    assert other.log_in().status == 401 and other.log_in("another horse").status == 200


def test_a_forgotten_password_is_set_anew_with_a_code(pi, portal, browser):
    page = portal.browser()
    assert page.set_up(code_of(pi), "quite another one").status == 200
    assert browser.get("/api/status").status == 401
    assert portal.browser().log_in("quite another one").status == 200


def test_five_wrong_codes_end_a_code(pi, portal):
    code = code_of(pi)
    page = portal.browser()
    for _ in range(5):
        assert page.set_up("AAAA-AAAA").status == 403
    assert page.set_up(code).status == 429
    assert pi.cli("portal-code", "--json")  # and a new one can be had


def test_passwords_cannot_be_tried_quickly(pi, portal, browser):
    page = portal.browser()
    answers = [page.log_in(f"wrong password {i}") for i in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert page.log_in().status == 429  # the right one, too
    assert browser.get("/api/status").status == 200  # and who is in stays in


def test_without_a_session_nothing_is_told_and_nothing_done(pi, portal):
    page = portal.browser()
    for path in QUESTIONS:
        assert page.get(path).status == 401, path
        assert page.get(path, Cookie="longcord=" + "A" * 43).status == 401, path
    for path in POSTS:
        assert page.post(path, {"place": "1-1", "mode": "off"}).status == 401, path


def test_another_sites_page_can_do_nothing(pi, portal, browser):
    here = f"http://127.0.0.1:{portal.port}"
    mode = {"place": "9-1", "mode": "off"}
    assert browser.post("/api/mode", mode, Origin=here).status == 404  # no bus 9: it was asked
    for origin in ("http://evil.example", "null", f"https://evil.example/{here}"):
        assert browser.post("/api/mode", mode, Origin=origin).status == 403
        assert browser.post("/api/login", {"password": PASSWORD}, Origin=origin).status == 403
    assert browser.post("/api/mode", mode, Sec_Fetch_Site="cross-site").status == 403
    assert browser.post("/api/mode", mode, X_CSRF_Token="A" * 43).status == 403
    assert browser.post("/api/mode", mode, X_CSRF_Token=None).status == 403
    assert browser.post("/api/mode", mode, Content_Type="text/plain").status == 415


@pytest.mark.parametrize("path", POSTS + ("/api/setup", "/api/login"))
def test_nothing_is_done_by_get(browser, path):
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        answer = browser.request(method, path + "?place=1-1&mode=off&all=true")
        assert answer.status == 405 and answer.headers["Allow"] == "POST"


# What is there


def test_the_page_and_its_headers(portal):
    page = portal.browser()
    answer = page.get("/")
    assert answer.status == 200 and answer.text.startswith("<!doctype html>")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    again = page.get("/", If_None_Match=answer.headers["ETag"])
    assert (again.status, again.text) == (304, "")
    assert page.get("/app.js").headers["Content-Type"].startswith("text/javascript")
    head = page.request("HEAD", "/app.js")
    assert head.status == 200 and head.text == ""
    for path in ("/../../etc/passwd", "/%2e%2e/secret", "/web/index.html", "//", "/nothing", "/api/", "/api/nothing"):
        answer = page.get(path)
        assert answer.status == 404 and answer.json["error"]["kind"] == "not found", path
        assert "Content-Security-Policy" in answer.headers
    assert page.post("/").status == 405


def test_the_page_asks_nobody_else():
    for file in (REPOSITORY / "src/portal/web").iterdir():
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        text = text.replace("://${", "")
        assert "http:" not in text and "https:" not in text and 'src="//' not in text, file
        for markup in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert markup not in text, file


def test_status_events_and_errors_are_those_of_the_service(pi, browser):
    pi.plug("1-1", product="<img src=x onerror=alert(1)>")
    status = browser.get("/api/status").json
    assert status["devices"][0]["product"] == "<img src=x onerror=alert(1)>"
    assert {hub["name"] for hub in status["hubs"]} == {"usb1"}
    events = browser.get("/api/events?limit=3").json["events"]
    assert len(events) <= 3
    newest = events[-1]["seq"]
    assert browser.get(f"/api/events?since={newest}").json["events"] == []
    answer = browser.post("/api/mode", {"place": "nowhere", "mode": "off"})
    assert answer.status == 400 and answer.json["error"]["kind"] == "invalid"
    assert browser.post("/api/mode", {"place": 7, "mode": "off"}).status == 400
    assert browser.post("/api/test", {"node": "nobody"}).status == 404
    assert browser.post("/api/leave", {"node": "nobody"}).status == 404
    assert browser.post("/api/join", {"token": "nonsense"}).status == 400
    assert browser.get("/api/console?name=1-9").status == 404


def test_what_happens_is_on_the_page_within_200_ms(pi, browser):
    stream = browser.stream("/api/stream")
    stream.until("status", lambda status: status["devices"] == [])
    pi.plug("1-1")
    event = stream.until("happened", lambda event: event["kind"] == "came")
    heard = time.time()
    status = stream.until("status", lambda status: status["devices"])
    assert status["devices"][0]["place"] == "1-1"
    # The event's own clock against the one here: the same machine. The limit is the issue's, for a
    # machine that does nothing else; sanitizers and other tests cost a multiple of it.
    assert time.time() - heard < 5
    pi.unplug("1-1")
    stream.until("happened", lambda event: event["kind"] == "went" and event["place"] == "1-1")
    stream.until("status", lambda status: status["devices"] == [])
    assert event["place"] == "1-1"


def test_a_service_that_is_away_is_said_to_be_and_comes_back(pi, browser):
    stream = browser.stream("/api/stream")
    stream.until("status")
    pi.stop()
    assert "ended" in stream.until("down")["message"]
    answer = browser.get("/api/status")
    assert answer.status == 503 and "does not run" in answer.error
    pi.serve()
    stream.until("history")
    stream.until("status")
    assert browser.get("/api/status").status == 200


# Actions


def test_a_device_is_disconnected_and_connected_again(pi, browser):
    """It is for VMs, by its driver; there is no usbip-host here to bind it."""
    pi.plug("1-1")
    wait(lambda: "no usbip-host" in " ".join(pi.status()["problems"]))
    answer = browser.post("/api/detach", {"place": "1-1"})
    assert answer.status == 200, answer.text
    (after,) = answer.json["places"]
    assert after["place"] == "1-1" and not after["exported"] and "disconnected by hand" in after["why"]
    (device,) = browser.get("/api/status").json["devices"]
    assert device["paused"] and "longcord resume" in device["why"]
    assert json.loads((pi.root / "var/lib/longcord/modes.json").read_text())["paused"] == [
        "platform-fe9c0000.xhci/1"]
    pi.stop()
    pi.serve()
    wait(lambda: pi.devices().get("1-1", {}).get("paused"))  # it is kept
    answer = browser.post("/api/resume", {"all": True})
    assert answer.status == 200 and answer.json["changed"]
    assert not browser.get("/api/status").json["devices"][0]["paused"]
    assert not browser.post("/api/resume", {"all": True}).json["changed"]


def test_all_are_disconnected_and_the_command_line_can_do_the_same(pi, browser):
    pi.plug("1-1")
    pi.plug("1-2", tty="ttyUSB1")
    places = browser.post("/api/detach", {"all": True}).json["places"]
    assert {place["place"] for place in places} == {"1-1", "1-2"}
    assert "1-1: stays on this machine" in pi.cli("resume", "--all")
    assert "disconnected by hand" in pi.cli("detach", "1-2")
    assert pi.devices()["1-2"]["paused"] and not pi.devices()["1-1"]["paused"]
    pi.cli("mode", "1-2", "usbip")  # whoever sets a mode wants it to have an effect
    assert not pi.devices()["1-2"]["paused"]
    assert "nothing is plugged" in browser.post("/api/detach", {"place": "1-4"}).error
    pi.cli("detach", code=2)
    pi.cli("detach", "1-1", "--all", code=2)


def test_a_serial_port_is_watched_and_not_touched(pi, browser):
    board = pi.plug("1-1")
    assert browser.post("/api/mode", {"place": "1-1", "mode": "serial"}).json["mode"] == "serial"
    pi.served("1-1")
    stream = browser.stream("/api/console?name=1-1")
    assert stream.until("begins") == {"name": "1-1", "present": True}
    said = b"hello <b>\xff\x00\r\n"
    board.say(said)
    heard = b""
    while len(heard) < len(said):
        heard += base64.b64decode(stream.until("bytes"))
    assert heard == said
    owner = pi.connect(pi.ports()["1-1"]["port"])  # nobody has it
    wait(lambda: pi.ports()["1-1"]["owner"])
    board.say(b"both")
    assert owner.receive(4) == b"both"
    heard = b""
    while len(heard) < 4:
        heard += base64.b64decode(stream.until("bytes"))
    browser.post("/api/mode", {"place": "1-1", "mode": "default"})
    owner.socket.close()
    stream.close()


def test_an_address_that_a_serial_port_refused_is_let_in_by_one_request(pi, browser):
    address = outside_address()
    assert address, "this machine has no address but loopback"
    port = pi.listen_at(address)
    pi.process.send_signal(signal.SIGHUP)
    stream = browser.stream("/api/stream")
    pi.plug("1-1")
    pi.mode("1-1", "serial")

    def there():
        now = pi.ports().get("1-1", {})
        return now.get("port") == port and now["listening"] and now["present"]
    wait(there)
    assert b"may not use this port" in pi.connect(port).rest()
    event = stream.until("happened", lambda event: event["kind"] == "serial-refused")
    assert (event["address"], event["place"]) == (address, "1-1")
    answer = browser.post("/api/serial-allow", {"address": event["address"]})
    assert (answer.status, answer.json) == (200, {"address": address, "allowed": True, "changed": True})
    said = stream.until("happened", lambda event: event["kind"] == "serial-allow")
    assert said["address"] == address
    exchange(pi.connect(port), pi.boards["1-1"])
    answer = browser.post("/api/serial-allow", {"address": address, "remove": True})
    assert answer.json == {"address": address, "allowed": False, "changed": True}
    assert b"may not use this port" in pi.connect(port).rest()
    stream.close()


@pytest.mark.parametrize("body, status", [
    ({"address": "pve1"}, 400), ({"address": ""}, 400), ({"address": 7}, 400), ({"address": "1" * 5000}, 400),
    ({"address": "10.0.0.1", "remove": "yes"}, 400), ({"address": "10.0.0.1", "remove": True}, 404)])
def test_what_cannot_be_let_in_is_said(pi, browser, body, status):
    assert browser.post("/api/serial-allow", body).status == status
    assert not (pi.root / "var/lib/longcord/serial_allow.json").exists()


def test_a_test_of_a_node_says_at_which_step_it_fails(pi, browser):
    with socket.socket() as nobody, socket.socket() as mute:
        for each in (nobody, mute):
            each.bind(("127.0.0.1", 0))
        mute.listen()
        closed, silent = (f"127.0.0.1:{each.getsockname()[1]}" for each in (nobody, mute))
        pi.config.write_text(json.dumps({"nodes": [closed, silent, "no-such-name.invalid"]}))
        pi.process.send_signal(1)
        wait(lambda: len(pi.status()["links"]) == 3)
        stream = browser.stream("/api/stream")
        done = browser.post("/api/test", {"node": closed}).json
        assert not done["ok"] and [step["ok"] for step in done["steps"]] == [True, False, None, None, None]
        assert [step["step"] for step in done["steps"]] == ["name", "tcp", "host key", "login", "service"]
        stream.until("happened", lambda event: event["kind"] == "testing" and "tcp: failed" in event["message"])
        done = browser.post("/api/test", {"node": silent}).json
        assert [step["ok"] for step in done["steps"]] == [True, True, False, None, None]
        done = browser.post("/api/test", {"node": "no-such-name.invalid:22"}).json
        assert [step["ok"] for step in done["steps"]] == [False, None, None, None, None]
        assert pi.cli("test", closed, code=1).count("failed") == 1


# Hostile


def test_what_is_too_large_is_refused(pi, portal, browser):
    answer = browser.request("POST", "/api/login", "x" * (64 * 1024 + 1), Content_Type="application/json")
    assert answer.status == 413 and answer.json["error"]["kind"] == "invalid"
    assert browser.request("POST", "/api/login", "x" * (64 * 1024), Content_Type="application/json").status == 400
    assert browser.get("/", X_Long="x" * 9000).status == 431
    assert browser.get("/" + "x" * 3000).status == 400


@pytest.mark.parametrize("data", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\n\r\n", b"GET  HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET http://evil/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"\r\n\r\n\r\n", b"\x00" * 100])
def test_what_is_no_request_is_refused_and_the_connection_closed(portal, data):
    answer = raw(portal, data)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 "), answer
    assert portal.browser().get("/").status == 200


def test_whoever_is_slow_is_dropped(portal):
    with socket.create_connection(("127.0.0.1", portal.port), 40) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        began = time.monotonic()
        assert slow.recv(100) == b""  # and not before it had its time
        assert time.monotonic() - began > 5
    assert portal.browser().get("/").status == 200


def test_too_many_connections_are_closed_and_make_room_again(portal):
    crowd = [socket.create_connection(("127.0.0.1", portal.port), 40) for _ in range(32)]
    for one in crowd:
        one.sendall(b"GET /api/session HTTP/1.1\r\nHost: x\r\n\r\n")
        assert one.recv(12) == b"HTTP/1.1 200"
    assert raw(portal, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == b""
    crowd.pop().close()
    wait(lambda: raw(portal, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    for one in crowd:
        one.close()


def test_sixteen_streams_and_a_closed_one_makes_room(pi, browser):
    streams = [browser.stream("/api/stream") for _ in range(16)]
    answer = browser.get("/api/stream")
    assert answer.status == 503 and "16" in answer.error
    streams.pop().close()
    wait(lambda: browser.connect() and _opens(browser))
    for stream in streams:
        stream.close()


def _opens(browser):
    connection = browser.connect()
    connection.request("GET", "/api/stream", headers={"Cookie": browser.cookie})
    status = connection.getresponse().status
    connection.close()
    return status == 200


# Settings


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


@pytest.mark.parametrize("settings, words", [
    ("listen: [ 192.0.2.1 ]", "cannot listen on 192.0.2.1:8080"),
    ("listen: [ '127.0.0.1:18080' ]\ntls: { certificate: /none, key: /none }", "/none")])
def test_what_cannot_be_had_ends_it_with_words(pi, settings, words):
    portal = Portal(pi)
    portal.config.write_text(settings)
    done = subprocess.run(portal.command(), capture_output=True, text=True, timeout=60,
                          env={**os.environ, "LONGCORD_ROOT": str(pi.root)})
    assert done.returncode == 1 and words in done.stderr


def test_on_a_node_it_shows_and_changes_nothing(world):
    portal = Portal(world, role="host").start()
    try:
        page = portal.browser()
        assert page.set_up(code_of(world)).status == 200
        assert page.get("/api/session").json["role"] == "host"
        status = page.get("/api/status").json
        assert status["role"] == "host" and status["devices"][0]["place"] == "3-4"
        explained = page.get("/api/explain?place=3-4").json
        assert explained["device"]["place"] == "3-4" and "outcome" in explained
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
