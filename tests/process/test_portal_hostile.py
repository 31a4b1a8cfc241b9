# SPDX-License-Identifier: MIT
"""longcord-portal as somebody hostile meets it: too much, too slow, too many, and what is no HTTP at all."""
import json
import re
import socket
import time

import pytest
from host_world import wait
from portal_world import PASSWORD, browser, pi, portal, raw  # noqa: F401


def test_what_is_too_large_is_refused(pi, portal, browser):
    answer = browser.request("POST", "/api/login", "x" * (64 * 1024 + 1), Content_Type="application/json")
    assert answer.status == 413 and answer.json["error"]["kind"] == "invalid"
    assert browser.request("POST", "/api/login", "x" * (64 * 1024), Content_Type="application/json").status == 400
    assert browser.get("/", X_Long="x" * 9000).status == 431
    assert browser.get("/" + "x" * 3000).status == 400


def test_a_body_in_pieces_is_read_and_has_the_same_bound(portal, browser):
    def login(*chunks, trailer=b""):
        body = b"".join(b"%x;note=\"x\"\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        answer = raw(portal, b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                     b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n" + trailer + b"\r\n")
        return int(answer.split()[1])
    assert login(b'{"password":', b'"wrong horse"}') == 401
    assert login(b'{"password":"x"}', b"y") == 400
    assert login(*[b"x" * 1000] * 66) == 413
    assert login(b"{}", trailer=b"".join(b"X-%d: y\r\n" % i for i in range(5000))) == 431


def test_whoever_sends_too_much_still_hears_why(portal):
    head = b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    size = 8 * 1024 * 1024
    answer = raw(portal, head % size + b"\r\n" + b"x" * size)
    assert answer.startswith(b"HTTP/1.1 413 ") and b"Connection: close" in answer


def test_a_program_that_asks_whether_it_may_send_is_told(portal, browser):
    body = json.dumps({"password": PASSWORD}).encode()
    head = (b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
            b"Content-Length: %d\r\n\r\n")
    with socket.create_connection(("127.0.0.1", portal.port), 40) as client:
        client.sendall(head % len(body))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert client.recv(12) == b"HTTP/1.1 200"
    assert raw(portal, head % 100_000, wait_for_end=False).startswith(b"HTTP/1.1 413 ")


def test_requests_that_come_together_are_answered_one_after_the_other(portal):
    one = b"GET /api/session HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = raw(portal, one * 20 + last)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200"] * 20 + [b"404"]


@pytest.mark.parametrize("flood", [b"X-%d: y\r\n", b"Cookie: longcord=%d\r\n", b" folded %d\r\n"])
def test_a_flood_of_headers_is_refused(portal, flood):
    answer = raw(portal, b"GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n" + b"".join(flood % i for i in range(2000)) + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 431 "), answer[:100]


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


def test_whoever_opens_many_and_says_nothing_shuts_out_nobody(portal):
    def crowd(address):
        there = []
        for _ in range(32):
            one = socket.create_connection(("127.0.0.1", portal.port), 40, (address, 0))
            one.sendall(b"GET /api/session HTTP/1.1\r\nHost: x\r\n\r\n")
            assert one.recv(12) == b"HTTP/1.1 200"
            there.append(one)
        for one in there:
            one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")  # and never the rest
        return there
    slow = crowd("127.0.0.2") + crowd("127.0.0.3")  # 64, as many as there may be
    for _ in range(3):
        assert portal.browser().get("/").status == 200
    first = slow[0]
    while first.recv(4096):
        pass  # the one that has waited longest has made room
    for one in slow:
        one.close()


def test_of_one_address_only_its_own_make_room(portal):
    other = socket.create_connection(("127.0.0.1", portal.port), 40, ("127.0.0.2", 0))
    other.sendall(b"GET /api/session HTTP/1.1\r\nHost: x\r\n\r\n")
    assert other.recv(12) == b"HTTP/1.1 200"
    crowd = []
    for _ in range(40):
        one = socket.create_connection(("127.0.0.1", portal.port), 40, ("127.0.0.3", 0))
        one.sendall(b"GET /api/session HTTP/1.1\r\nHost: x\r\n\r\n")
        assert one.recv(12) == b"HTTP/1.1 200"
        crowd.append(one)
    while crowd[0].recv(4096):
        pass
    other.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")  # still there
    heard = b""
    while b"HTTP/1.1 404" not in heard:
        heard += (piece := other.recv(4096))
        assert piece, heard
    for one in (other, *crowd):
        one.close()


def test_sixteen_streams_and_a_closed_one_makes_room(pi, browser):
    streams = [browser.stream("/api/stream") for _ in range(16)]
    answer = browser.get("/api/stream")
    assert answer.status == 503 and "16" in answer.error
    streams.pop().close()
    wait(lambda: browser.connect() and _opens(browser))
    for stream in streams:
        stream.close()


def test_whoever_never_reads_a_stream_loses_it(pi, browser):
    """A console, since a board says more than there ever are events."""
    board = pi.plug("1-1")
    pi.mode("1-1", "serial")
    pi.served("1-1")
    streams = [browser.stream("/api/stream") for _ in range(15)]
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", browser.port))
    deaf.sendall(f"GET /api/console?name=1-1 HTTP/1.1\r\nHost: x\r\nCookie: {browser.cookie}\r\n\r\n".encode())
    assert deaf.recv(12) == b"HTTP/1.1 200"
    assert not _opens(browser)

    def gone():
        board.say(b"x" * 4096)
        return _opens(browser)
    wait(gone)
    streams[0].until("status")  # and nobody else noticed
    for stream in streams:
        stream.close()
    deaf.close()


def _opens(browser):
    connection = browser.connect()
    connection.request("GET", "/api/stream", headers={"Cookie": browser.cookie})
    status = connection.getresponse().status
    connection.close()
    return status == 200
