# SPDX-License-Identifier: MIT
"""`longcord serial serve` and what networks do to it: clients that are cut off without a word, strangers
who come by the hundred, a kernel without IPv6."""
import os
import re
import select
import socket
import sys
import threading
import time

import pytest
from own_network import network, two_networks
from serial_port import NO_QUARANTINE, REPOSITORY, Client, rss, wait

sys.path.insert(0, str(REPOSITORY / "tests" / "serial"))
from tools import compiled  # noqa: E402


def gets_the_port(server, connect):
    """Whether a client who comes now is the owner; if it is not, it has been told who is."""
    with connect() as client:
        client.sendall(b"?")
        client.settimeout(0.3)
        try:
            said = client.recv(4096)
        except TimeoutError:
            said = b""
    assert said == b"" or b"held by 10.99.0.2:" in said
    if said == b"":
        assert server.board.hear(1) == b"?"
    return said == b""


@pytest.mark.parametrize("how", ["something is due to it", "nothing is due to it"])
def test_an_owner_that_answers_no_more_loses_the_port_to_the_next(serve, how):
    with two_networks() as (here, there):
        server = serve(listen="10.99.0.1:0", within=here.within)
        owner = there.connect("10.99.0.1", server.port)
        owner.sendall(b"mine")
        assert server.board.hear(4) == b"mine"
        assert not gets_the_port(server, lambda: here.connect("10.99.0.1", server.port))
        there.ip("route add blackhole 10.99.0.1/32")  # it hears all, and acknowledges nothing
        if how == "something is due to it":
            server.board.say(b"are you there?")
        wait(lambda: gets_the_port(server, lambda: here.connect("10.99.0.1", server.port)))
        assert "10.99.0.2" in server.log.read_text()
        if how == "something is due to it":
            server.says("has left the port: no answer for 5 s")
        owner.close()


def test_an_owner_that_lives_and_does_not_read_keeps_the_port(serve):
    """Its kernel answers each probe, whose pauses become longer than the 5 s after which silence counts."""
    with two_networks() as (here, there):
        server = serve(listen="10.99.0.1:0", within=here.within)
        owner = there.connect("10.99.0.1", server.port)
        owner.sendall(b"mine")
        assert server.board.hear(4) == b"mine"
        fill(server.board, b"x" * 65536)

        def pause():
            """Seconds until its closed window is probed again: they double."""
            text = here.output("ss", "-Htno", "state", "established", "sport", "=", f":{server.port}")
            found = re.search(r"persist,([0-9.]+)sec", text)
            return float(found[1]) if found else 0
        wait(lambda: pause() > 7, seconds=60)  # so the one before came after 5 s, and was answered
        assert not gets_the_port(server, lambda: here.connect("10.99.0.1", server.port))
        owner.close()


@pytest.mark.parametrize("slow", ["client", "board"])
def test_who_takes_all_the_time_and_never_all_of_it_costs_no_memory(serve, slow):
    """With the small send buffers that connections over slow networks have: the server always has something left."""
    with network() as net:
        net.output("sysctl", "-w", "net.ipv4.tcp_wmem=4096 16384 16384")
        server = serve(within=net.within, env=NO_QUARANTINE)
        client = Client(connected=net.connect("127.0.0.1", server.port))
        server.says("has the port")
        before = rss(server.process)
        data, times = os.urandom(1 << 20), 16
        say, hear = (server.board.say, client.receive) if slow == "client" else (client.send, server.board.hear)
        writer = threading.Thread(target=lambda: [say(data) for _ in range(times)])
        writer.start()
        piece = 32 * 1024
        for number in range(times * len(data) // piece):
            at = number * piece % len(data)
            assert hear(piece) == data[at:at + piece]
            time.sleep(0.001)  # the server is faster than that
        writer.join()
        assert rss(server.process) < before + 8 * 1024
        client.close()


def fill(board, data):
    """Until it takes no more for a moment."""
    while select.select([], [board.master], [], 0.5)[1]:
        os.write(board.master, data)


def test_this_machine_and_those_of_allow_may_connect_and_nobody_else(serve):
    with network() as net:
        net.ip("route add local 10.98.0.0/16 dev lo")
        server = serve("--allow", "10.98.7.0/24", listen="0.0.0.0:0", within=net.within)
        for address, source in (("127.0.0.1", "0.0.0.0"), ("10.98.0.1", "10.98.7.7")):
            with net.connect(address, server.port, source) as client:
                client.sendall(b"in")
                assert server.board.hear(2) == b"in"
        with net.connect("10.98.0.1", server.port, "10.98.8.7") as client:
            assert b"10.98.8.7 may not use this port" in client.recv(4096)
        server.says("10.98.8.7:")


def test_local_net_is_what_the_interfaces_have_now_and_ipv4_through_an_ipv6_socket_is_ipv4(serve):
    with two_networks() as (here, there):
        here.ip("-6 address add fd99::1/64 dev eth0 nodad")
        for address in ("10.96.0.2/32", "fd99::2/64 nodad", "fd98::2/128 nodad"):
            there.ip(f"address add {address.replace(' ', ' dev eth0 ')}" + ("" if " " in address else " dev eth0"))
        here.ip("route add 10.96.0.2 dev eth0")
        here.ip("-6 route add fd98::2 dev eth0")
        server = serve("--allow", "local-net", listen="[::]:0", within=here.within)

        def said_to(source):
            with there.connect("fd99::1" if ":" in source else "10.99.0.1", server.port, source) as client:
                client.sendall(b"in")
                client.shutdown(socket.SHUT_WR)
                return client.recv(4096)
        for source in ("10.99.0.2", "fd99::2"):
            assert said_to(source) == b""
            assert server.board.hear(2) == b"in"
        for source in ("10.96.0.2", "fd98::2"):
            assert f": {source} may not use this port".encode() in said_to(source)
        here.ip("address add 10.96.0.1/24 dev eth0")
        assert said_to("10.96.0.2") == b""
        assert server.board.hear(2) == b"in"


def test_a_stranger_who_comes_again_and_again_is_one_line(serve):
    with network() as net:
        net.ip("route add local 10.98.0.0/16 dev lo")
        server = serve("--allow", "192.0.2.1", listen="10.98.0.1:0", within=net.within)
        for _ in range(100):
            net.connect("10.98.0.1", server.port, "10.98.7.7").close()
        with net.connect("10.98.0.1", server.port, "10.98.7.8") as last:
            assert b"10.98.7.8 may not use this port" in last.recv(4096)
        server.says("10.98.7.8:")
        lines = [line for line in server.log.read_text().splitlines() if "may not use" in line]
        assert len([line for line in lines if "10.98.7.7:" in line]) == 1
        assert len(lines) == 2


def test_a_whole_network_of_strangers_is_ten_lines_and_one_a_second(serve):
    with network() as net:
        net.ip("route add local 10.98.0.0/16 dev lo")
        server = serve("--allow", "192.0.2.1", listen="10.98.0.1:0", within=net.within)
        began = time.monotonic()
        for number in range(300):
            net.connect("10.98.0.1", server.port, f"10.98.{number // 200 + 1}.{number % 200 + 1}").close()
        took = time.monotonic() - began
        lines = [line for line in server.log.read_text().splitlines() if "may not use" in line]
        assert 10 <= len(lines) <= 11 + took


def test_those_who_find_the_port_busy_by_the_hundred_are_ten_lines_and_one_a_second(serve):
    with network() as net:
        server = serve(within=net.within)
        owner = net.connect("127.0.0.1", server.port)
        server.says("has the port")
        began = time.monotonic()
        for _ in range(100):
            with net.connect("127.0.0.1", server.port) as client:
                assert b"held by" in client.recv(4096)
        lines = [line for line in server.log.read_text().splitlines() if "held by" in line]
        assert 10 <= len(lines) <= 11 + time.monotonic() - began
        owner.close()


@pytest.mark.parametrize("listen", [":0", "[::]:0"])
def test_all_addresses_of_a_kernel_without_ipv6_are_those_of_ipv4(serve, listen):
    server = serve(listen=listen, env={"LD_PRELOAD": str(compiled("no_ipv6.c")),
                                       "ASAN_OPTIONS": "verify_asan_link_order=0"})
    assert f"is served on 0.0.0.0:{server.port}," in server.ready
    with socket.create_connection(("127.0.0.1", server.port), 30) as client:
        client.sendall(b"four")
        assert server.board.hear(4) == b"four"


def test_a_localhost_with_an_address_of_ipv6_too_is_served_without_it(serve, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("::1 localhost\n127.0.0.1 localhost\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = serve(listen=f"localhost:{port}",
                   within=["unshare", "--mount", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh"],
                   env={"LD_PRELOAD": str(compiled("no_ipv6.c")), "ASAN_OPTIONS": "verify_asan_link_order=0"})
    assert f"is served on 127.0.0.1:{port}," in server.ready


def test_one_address_of_ipv6_is_not_served_elsewhere_instead(serve):
    server = serve(listen="[::1]:0", env={"LD_PRELOAD": str(compiled("no_ipv6.c")),
                                          "ASAN_OPTIONS": "verify_asan_link_order=0"})
    assert server.ready == "" and server.process.wait(30) == 1
    server.says("listen on ::1")
