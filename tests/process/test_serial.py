# SPDX-License-Identifier: MIT
"""`longcord serial serve` with the clients that people use: python3-serial, socat, telnet and plain sockets. The
device is a pseudo terminal; where DTR and RTS matter, a shim below the server writes down what it sets, and when."""
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time

import pytest
import serial
from serial_port import NO_QUARANTINE, REPOSITORY, Board, binary, rss, wait

sys.path.insert(0, str(REPOSITORY / "tests" / "serial"))
from tools import compiled  # noqa: E402

IAC, SB, SE = b"\xff", b"\xff\xfa", b"\xff\xf0"
WILL_COM, DO_COM = b"\xff\xfb\x2c", b"\xff\xfd\x2c"
EVERY_BYTE = bytes(range(256))


class Wires:
    """What the shim has seen."""

    def __init__(self, folder):
        self.log = folder / "modem.log"
        self.inputs = folder / "modem.inputs"
        self.inputs.write_text("0")
        self.env = {"LD_PRELOAD": str(compiled("modem_lines.c")), "MODEM_LINES": str(self.log),
                    "MODEM_INPUTS": str(self.inputs), "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def seen(self, what):
        lines = [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []
        return [(float(at), int(a), int(b)) for at, kind, a, b in lines if kind == what]

    def lines(self):
        return self.seen("lines")

    def forget(self):
        self.log.write_text("")


@pytest.fixture
def wires(tmp_path):
    return Wires(tmp_path)


def sub(*content):
    return SB + b"\x2c" + bytes(content).replace(IAC, IAC + IAC) + IAC + b"\xf0"


def rfc2217(server, query="", **options):
    return serial.serial_for_url(f"rfc2217://127.0.0.1:{server.port}{query}", timeout=10, **options)


def negotiated(server, room=None):
    """A client that has agreed on COM-PORT; what comes next answers what it sends. `room`: its socket takes no more."""
    client = server.connect()
    if room:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    client.send(WILL_COM)
    assert client.receive(3) == DO_COM
    assert client.receive(7) == sub(107, 0)
    return client


# --- starting -------------------------------------------------------------------------------------


def test_it_says_where_and_how_it_serves(serve):
    server = serve("--observe", "127.0.0.1:0", "--mode", "esp")
    assert server.ready == (f"{server.board.link} is served on 127.0.0.1:{server.port}, mode esp; "
                            f"observers on 127.0.0.1:{server.observe}\n")


def test_json_says_it_to_programs(serve):
    server = serve("--observe", "127.0.0.1:0", "--json")
    said = json.loads(server.ready)
    assert (said["device"], said["mode"]) == (str(server.board.link), "passthrough")
    for at in said["listen"] + said["observe"]:
        server.connect(int(at.rsplit(":", 1)[1])).close()
    failed = subprocess.run([binary(), "serial", "serve", "/nonexistent/tty", "--listen", "127.0.0.1:0", "--json"],
                            capture_output=True, text=True, timeout=30)
    assert json.loads(failed.stdout)["error"]["kind"] == "not found"


def test_it_needs_no_privilege_and_no_configuration(serve, tmp_path):
    server = serve(within=("setpriv", "--bounding-set=-all", "--inh-caps=-all"),
                   env={"LONGCORD_ROOT": str(tmp_path / "nothing-is-here")})
    client = negotiated(server)
    client.send(b"hello")
    assert server.board.hear(5) == b"hello"
    assert not (tmp_path / "nothing-is-here").exists()


def test_ipv6(serve):
    server = serve(listen="[::1]:0")
    with socket.create_connection(("::1", server.port), 30) as client:
        client.sendall(b"six")
        assert server.board.hear(3) == b"six"


@pytest.mark.parametrize("arguments, code, text", [
    (["/nonexistent/tty", "--listen", "127.0.0.1:0"], 1, "/nonexistent/tty: there is no such device now"),
    (["/dev/null", "--listen", "192.0.2.1:4000"], 1, "192.0.2.1 is no address of this machine"),
    (["/dev/null", "--listen", "127.0.0.1:0"], 1, "no serial port"),
    (["/dev/null", "--listen", "127.0.0.1:0", "--log", "/nonexistent/log"], 1, "open /nonexistent/log: No such file"),
    (["/dev/null", "--listen", "127.0.0.1:0", "--log", "/tmp"], 1, "open /tmp: Is a directory"),
    (["/dev/null", "--listen", "4000"], 2, "'4000' is no ADDR:PORT"),
    (["/dev/null", "--listen", "::1:4000"], 2, "ADDR:PORT"),
    (["/dev/null", "--listen", "127.0.0.1:65536"], 2, "ADDR:PORT"),
    (["/dev/null", "--listen", "127.0.0.1:0", "--mode", "fast"], 2, "'fast' is no mode"),
    (["/dev/null", "--listen", "127.0.0.1:0", "--allow", "10.0.0.0/40"], 2, "from 0 to 32"),
    (["/dev/null"], 2, "--listen is required"),
])
def test_what_cannot_be_served_is_said(serve, arguments, code, text):
    done = subprocess.run([binary(), "serial", "serve", *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode == code
    assert text in done.stderr


def test_a_port_in_use_and_a_device_in_use(serve, tmp_path):
    server = serve()
    for device, port, text in (("/nonexistent/tty", server.port, f"port {server.port} of 127.0.0.1 is taken by another"),
                               (server.board.link, 0, "another program has it")):
        done = subprocess.run([binary(), "serial", "serve", device, "--listen", f"127.0.0.1:{port}"],
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == 1
        assert text in done.stderr


def test_a_device_of_others_is_not_permitted(serve, tmp_path):
    board = Board(tmp_path / "board")
    done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "--regid=65534", binary(), "serial", "serve",
                           os.path.realpath(board.link), "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 4
    assert "permission denied; be root, or in the group" in done.stderr
    board.close()


# --- plain clients --------------------------------------------------------------------------------


def test_a_raw_client_gets_every_byte_value_as_it_is_both_ways(serve):
    server = serve()
    client = server.connect()
    client.send(EVERY_BYTE * 8)
    assert server.board.hear(2048) == EVERY_BYTE * 8
    server.board.say(EVERY_BYTE * 8)
    assert client.receive(2048) == EVERY_BYTE * 8


def test_the_server_says_nothing_before_the_client(serve):
    server = serve()
    assert server.connect().silent()


def test_a_lone_ff_of_a_raw_client_arrives(serve):
    server = serve()
    client = server.connect()
    client.send(b"\xff")
    assert server.board.hear(1) == b"\xff"
    client.send(DO_COM)  # decided: it is data
    assert server.board.hear(3) == DO_COM
    assert client.silent()


def test_socat_raw(serve):
    server = serve()
    with subprocess.Popen(["socat", "-", f"TCP:127.0.0.1:{server.port}"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as socat:
        socat.stdin.write(EVERY_BYTE)
        socat.stdin.flush()
        assert server.board.hear(256) == EVERY_BYTE
        server.board.say(EVERY_BYTE)
        assert socat.stdout.read(256) == EVERY_BYTE
        socat.kill()


def test_what_a_client_sent_before_it_closed_still_arrives(serve):
    server = serve()
    client = server.connect()
    client.send(b"x" * 20000)
    client.close()
    assert server.board.hear(20000) == b"x" * 20000


@pytest.mark.parametrize("port, negotiates", [("{}", False), ("-{}", True)])
def test_telnet_negotiates_where_it_is_told_to_and_works(serve, port, negotiates):
    """Debian's begins by itself on port 23 only; a minus before another port is its way to ask for that."""
    server = serve()
    with subprocess.Popen(["telnet", "--", "127.0.0.1", port.format(server.port)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as telnet:
        telnet.stdin.write(b"hello\n")
        telnet.stdin.flush()
        assert server.board.hear(5) == b"hello"
        # Whoever speaks telnet says 0xff twice; whoever never began to is taken for raw.
        telnet.stdin.write(b"\xff.\n")
        telnet.stdin.flush()
        heard = b""
        while b"." not in heard:
            heard += server.board.hear(1)
        assert heard.count(IAC) == (1 if negotiates else 2)
        server.board.say(b"board\n")
        wait(lambda: b"board" in telnet.stdout.readline())
        telnet.kill()


def test_a_terminals_telnet_is_offered_a_clean_line(serve):
    server = serve()
    client = server.connect()
    client.send(b"\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f")  # DO SGA, WILL TTYPE, WILL NAWS
    assert client.receive(18) == (b"\xff\xfb\x03\xff\xfe\x18\xff\xfe\x1f"  # WILL SGA, DONT, DONT
                                  b"\xff\xfb\x01\xff\xfb\x00\xff\xfd\x00")
    client.send(b"\xff\xfb\x18\xff\xfd\x01\xff\xfd\x00\xff\xfb\x00")  # nothing that needs an answer
    client.send(b"a\xff\xffb")
    assert server.board.hear(3) == b"a\xffb"
    assert client.silent()


def test_a_telnet_client_that_refuses_eight_bits_sends_cr_nul_for_cr(serve):
    server = serve()
    client = server.connect()
    client.send(b"\xff\xfd\x03\xff\xfc\x00at\r\0z")
    assert server.board.hear(4) == b"at\rz"


def test_telnets_interrupts_cost_no_byte(serve):
    """IAC IP, and IAC DM with its DM urgent, which the kernel would set apart; each time with DO TIMING-MARK."""
    server = serve()
    client = server.connect()
    client.send(WILL_COM)
    client.receive(10)
    for _ in range(2):
        client.send(b"a\xff\xf4\xff")
        client.socket.send(b"\xf2", socket.MSG_OOB)
        client.send(b"\xff\xfd\x06bc")
        assert server.board.hear(3) == b"abc"
        assert client.receive(3) == b"\xff\xfb\x06"


def test_telnets_break(serve, wires):
    server = serve(env=wires.env)
    client = server.connect()
    client.send(b"\xff\xfd\x03\xff\xf3x")
    assert server.board.hear(1) == b"x"
    (start, on, _), (end, off, _) = wires.seen("break")
    assert (on, off) == (1, 0)
    assert 0.2 < end - start


# --- RFC 2217 -------------------------------------------------------------------------------------


def test_com_port_is_agreed_and_a_modem_state_follows(serve):
    negotiated(serve())


def test_pipelined_commands_are_answered_in_order_with_what_is_in_force(serve):
    server = serve()
    client = negotiated(server)
    asked = [(1, 0, 0x0e, 0x10, 0), (2, 0), (2, 8), (3, 1), (4, 2), (5, 3), (5, 0), (5, 8), (5, 11), (5, 7),
             (10, 255), (11, 0), (12, 1), (12, 2), (1, 0, 0, 0, 0), (5, 9), (5, 4)]
    said = [(101, 0, 0x0e, 0x10, 0), (102, 8), (102, 8), (103, 1), (104, 2), (105, 3), (105, 3), (105, 8),
            (105, 11), (105, 8), (110, 255), (111, 0), (112, 1), (112, 2), (101, 0, 0x0e, 0x10, 0), (105, 9),
            (105, 6)]
    client.send(b"".join(sub(*each) for each in asked))
    want = b"".join(sub(*each) for each in said)
    assert client.receive(len(want)) == want
    assert server.board.settings()[2] & termios.CSTOPB


def test_commands_between_data_keep_their_place(serve):
    server = serve()
    client = negotiated(server)
    client.send(b"first" + sub(1, 0, 0, 0x25, 0x80) + b"then\xff\xff" + sub(12, 9) + b"last")
    assert server.board.hear(14) == b"firstthen\xfflast"
    want = sub(101, 0, 0, 0x25, 0x80) + sub(112, 9)
    assert client.receive(len(want)) == want


@pytest.mark.parametrize("baud", [300, 9600, 74880, 115200, 921600, 1234567, 3000000, 0xff00ff])
def test_rates(serve, baud):
    client = negotiated(serve())
    value = baud.to_bytes(4, "big")
    client.send(sub(1, *value) + sub(1, 0, 0, 0, 0))
    want = sub(101, *value) * 2
    assert client.receive(len(want)) == want


def test_a_rate_that_the_driver_does_not_take_is_answered_with_the_one_in_force(serve, wires):
    server = serve(env={**wires.env, "MODEM_MAX_BAUD": "921600"})
    client = negotiated(server)
    client.send(b"".join(sub(1, *baud.to_bytes(4, "big")) for baud in (921600, 3000000, 0, 12345678, 0xffffffff, 9600)))
    want = b"".join(sub(101, *baud.to_bytes(4, "big")) for baud in (921600, 921600, 921600, 921600, 921600, 9600))
    assert client.receive(len(want)) == want
    assert server.board.settings()[4] == termios.B9600


def test_what_the_port_cannot_is_answered_with_what_it_does(serve):
    client = negotiated(serve())  # a pseudo terminal has no parity and eight bits
    client.send(sub(3, 3) + sub(2, 7))
    want = sub(103, 1) + sub(102, 8)
    assert client.receive(len(want)) == want


def test_unknown_options_are_refused_once(serve):
    client = serve().connect()
    client.send(b"\xff\xfd\x63\xff\xfd\x63\xff\xfb\x63" + WILL_COM)
    assert client.receive(9) == b"\xff\xfc\x63\xff\xfe\x63" + DO_COM


def test_a_client_that_offers_all_it_has_and_keeps_active_by_nop(serve):
    """As hub4com with --comport=client --terminal=... --keep-active=..."""
    server = serve()
    client = server.connect()
    client.send(b"\xff\xfb\x00\xff\xfd\x00\xff\xfb\x03\xff\xfd\x03\xff\xfd\x01\xff\xfb\x18" + WILL_COM +
                sub(1, 0, 0, 0x25, 0x80) + sub(2, 8) + sub(10, 0x1f) + sub(11, 0xff) + b"\xff\xf1data\xff\xf1")
    want = (b"\xff\xfd\x00\xff\xfb\x00\xff\xfd\x03\xff\xfb\x03\xff\xfb\x01\xff\xfe\x18" + DO_COM + sub(107, 0) +
            sub(101, 0, 0, 0x25, 0x80) + sub(102, 8) + sub(110, 0x1f) + sub(111, 0xff))
    assert client.receive(len(want)) == want
    assert server.board.hear(4) == b"data"
    client.send(b"\xff\xf1" * 20 + b"more")
    assert server.board.hear(4) == b"more"
    assert client.silent()


def test_a_break_lasts_until_the_client_ends_it_and_can_be_asked_for(serve, wires):
    server = serve(env=wires.env)
    client = negotiated(server)
    client.send(b"".join(sub(5, value) for value in (4, 5, 4, 6, 4)))
    want = b"".join(sub(105, value) for value in (6, 5, 5, 6, 6))
    assert client.receive(len(want)) == want
    assert [entry[1] for entry in wires.seen("break")] == [1, 0]


def test_signature(serve):
    client = negotiated(serve())
    client.send(sub(0))
    assert client.receive(12) == SB + b"\x2c\x64longcord"


def test_suspend_holds_the_output_and_resume_releases_it(serve):
    server = serve()
    client = negotiated(server)
    client.send(sub(8) + sub(10, 0))
    assert client.receive(7) == sub(110, 0)
    server.board.say(b"held")
    assert client.silent()
    client.send(sub(9))
    assert client.receive(4) == b"held"


def test_modem_state_is_notified(serve, wires):
    server = serve(env=wires.env)
    client = negotiated(server)
    client.send(sub(11, 0x10) + sub(7))
    assert client.receive(14) == sub(111, 0x10) + sub(107, 0)
    wires.inputs.write_text(str(termios.TIOCM_CTS | termios.TIOCM_DSR))
    assert client.receive(7) == sub(107, 0x10)
    client.send(sub(7))
    assert client.receive(7) == sub(107, 0x30)


def test_nonsense_is_survived(serve):
    server = serve()
    client = server.connect()
    client.send(WILL_COM + SB + b"\x2c" + b"\x05" * 100000 + SE + SB + b"\x2c" + SE + SB + b"\x63abc" + SE + SB + SE +
                sub(5) + sub(77, 1) + b"\xff\xf0\xff\x07" + sub(2, 0) + b"ok")
    assert server.board.hear(2) == b"ok"
    want = DO_COM + sub(107, 0) + sub(102, 8)
    assert client.receive(len(want)) == want


# --- python3-serial -------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?ign_set_control", "?poll_modem"])
def test_pyserial(serve, query):
    server = serve()
    with rfc2217(server, query, baudrate=921600) as port:
        port.write(EVERY_BYTE)
        assert server.board.hear(256) == EVERY_BYTE
        server.board.say(EVERY_BYTE)
        assert port.read(256) == EVERY_BYTE
        assert (port.cts, port.dsr, port.ri, port.cd) == (False, False, False, False)
        for baud in (9600, 3000000):
            port.baudrate = baud
        port.rts = port.dtr = False
        port.break_condition = True
        port.break_condition = False
        port.rtscts = True
        assert server.board.settings()[2] & termios.CRTSCTS
        port.reset_input_buffer()
        port.reset_output_buffer()
    with rfc2217(server, query) as port:  # the settings are as they were
        assert not server.board.settings()[2] & termios.CRTSCTS


def classic_reset(port):
    """What esptool does."""
    for pin, on, pause in (("dtr", False, 0), ("rts", True, 0.1), ("dtr", True, 0), ("rts", False, 0.05),
                           ("dtr", False, 0)):
        setattr(port, pin, on)
        if pin == "rts":
            port.dtr = port.dtr  # its work-around for Windows
        time.sleep(pause)


@pytest.mark.parametrize("query", ["", "?ign_set_control"])
def test_esptools_reset_is_played_with_exact_times(serve, wires, query):
    server = serve("--mode", "esp", env=wires.env)
    with rfc2217(server, query) as port:
        wires.forget()
        classic_reset(port)
        wait(lambda: wires.lines()[-1:] and wires.lines()[-1][1:] == (0, 0) and len(wires.lines()) > 2)
        seen = wires.lines()
    at = [entry[1:] for entry in seen].index((0, 1))
    (reset, *_), (loader, dtr, rts), (end, *last) = seen[at:at + 3]
    assert (dtr, rts) == (1, 0), seen  # never both on between
    assert last == [0, 0]
    assert loader - reset >= 0.1
    assert end - loader >= 0.05


@pytest.mark.parametrize("query", ["", "?ign_set_control"])
def test_a_hard_reset(serve, wires, query):
    server = serve("--mode", "esp", env=wires.env)
    with rfc2217(server, query) as port:
        port.dtr = False
        port.rts = False
        wires.forget()
        port.rts = True
        port.rts = False
        wait(lambda: len(wires.lines()) == 2)
    (start, *low), (end, *high) = wires.lines()[:2]
    assert (low, high) == ([0, 1], [0, 0])
    assert end - start >= 0.1


@pytest.mark.parametrize("query", ["", "?ign_set_control"])
@pytest.mark.parametrize("dtr", [None, True, False])
@pytest.mark.parametrize("rts", [None, True, False])
def test_a_mere_connect_resets_no_board(serve, wires, query, dtr, rts):
    server = serve("--mode", "esp", env=wires.env)
    port = serial.serial_for_url(f"rfc2217://127.0.0.1:{server.port}{query}", do_not_open=True)
    port.dtr, port.rts = dtr, rts
    port.open()
    port.close()
    server.says("has left")
    assert (0, 1) not in [entry[1:] for entry in wires.lines()]
    assert not wires.lines() or wires.lines()[-1][1:] == (0, 0)


def test_a_raw_client_touches_no_line(serve, wires):
    server = serve("--mode", "passthrough", env=wires.env)
    client = server.connect()
    client.send(b"x")
    assert server.board.hear(1) == b"x"
    client.close()
    server.says("has left")
    assert wires.lines() == []


def test_passthrough_sets_what_the_client_says(serve, wires):
    server = serve("--mode", "passthrough", env=wires.env)
    client = negotiated(server)
    client.send(b"".join(sub(5, value) for value in (12, 9, 8, 11, 9)))
    client.receive(7 * 5)
    assert [entry[1:] for entry in wires.lines()] == [(1, 0), (0, 0), (1, 0), (1, 1), (0, 1)]


def test_a_client_that_dies_leaves_the_lines_as_it_found_them(serve, wires):
    server = serve("--mode", "passthrough", env=wires.env)
    client = negotiated(server)
    client.send(sub(5, 9) + sub(5, 5) + sub(1, 0, 0, 0x25, 0x80) + sub(2, 0))  # in reset, break, 9600
    client.receive(7 + 7 + 10 + 7)
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()  # by a reset
    server.says("has left")
    assert wires.lines()[-1][1:] == (1, 1)
    assert wires.seen("break")[-1][1] == 0
    assert server.board.settings()[4] == termios.B115200


def test_a_reset_is_played_to_its_end_though_the_client_has_gone(serve, wires):
    server = serve("--mode", "esp", env=wires.env)
    wires.forget()
    client = negotiated(server)
    client.send(sub(5, 11) + sub(5, 12))
    client.close()
    server.says("has left")
    (start, *low), (end, *high) = wires.lines()
    assert (low, high) == ([0, 1], [0, 0])
    assert end - start >= 0.1


# --- one writer, many readers ---------------------------------------------------------------------


def test_a_second_client_is_told_who_has_the_port(serve):
    server = serve("--observe", "127.0.0.1:0")
    first = server.connect()
    name = "%s:%d" % first.socket.getsockname()
    server.says(f"{name} has the port")
    said = server.connect().rest().decode()
    assert f"held by {name} since" in said
    assert f"read along on port {server.observe}" in said
    server.says("held by")
    first.close()
    server.says(f"{name} has left the port")
    again = server.connect()
    again.send(b"mine")
    assert server.board.hear(4) == b"mine"


def test_whoever_comes_right_after_the_owner_gets_the_port(serve):
    server = serve("--mode", "esp")
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port), 30) as client:
            client.sendall(b"x")
            assert server.board.hear(1) == b"x"


def test_twenty_at_once_have_one_owner(serve):
    server = serve()
    clients = [server.connect() for _ in range(20)]
    sockets = {client.socket: client for client in clients}
    wait(lambda: len(select.select(sockets, [], [], 0)[0]) == 19)  # the log names only the first of them
    turned_away = select.select(sockets, [], [], 0)[0]
    for refused in turned_away:
        assert b"held by" in sockets.pop(refused).rest()
    (owner,) = sockets.values()
    owner.send(b"I")
    assert server.board.hear(1) == b"I"


def test_observers_read_along_and_cannot_write(serve):
    server = serve("--observe", "127.0.0.1:0")
    observers = [server.connect(server.observe) for _ in range(8)]
    wait(lambda: server.log.read_text().count("reads along") == 8)
    assert b"8 observers" in server.connect(server.observe).rest()
    observers[0].send(b"let me")
    server.board.say(b"log line")  # nobody owns the port
    for observer in observers:
        assert observer.receive(8) == b"log line"
    owner = server.connect()
    server.says("has the port")
    server.board.say(b"more\xff")
    assert owner.receive(5) == b"more\xff"
    assert observers[7].receive(5) == b"more\xff"
    assert server.board.heard_nothing()
    observers[0].close()
    server.says("has left")
    assert server.connect(server.observe).silent()


def test_an_observer_by_rfc2217_changes_nothing(serve):
    server = serve("--observe", "127.0.0.1:0")
    client = server.connect(server.observe)
    client.send(WILL_COM + sub(1, 0, 0, 0x25, 0x80))
    want = DO_COM + sub(107, 0) + sub(101, 0, 1, 0xc2, 0)
    assert client.receive(len(want)) == want
    server.board.say(b"\xff")
    assert client.receive(2) == b"\xff\xff"


def test_an_observer_that_does_not_read_holds_nobody_up(serve):
    server = serve("--observe", "127.0.0.1:0")
    lazy = server.connect(server.observe)
    server.says("reads along")
    owner = server.connect()
    server.says("has the port")
    size = 16 << 20
    writer = threading.Thread(target=server.board.say, args=(b"x" * size,))
    writer.start()
    assert owner.receive(size) == b"x" * size
    writer.join()

    seen = b""
    while b"bytes are missing here" not in seen:
        server.board.say(b"y")
        seen = seen[-100:] + lazy.socket.recv(1 << 20)


def test_the_board_never_blocks_when_nobody_listens(serve):
    server = serve()
    server.board.say(b"log " * 1000000)
    client = server.connect()
    server.says("has the port")
    wait(lambda: client.send(b"?") or not server.board.heard_nothing())


# --- much, slow, dead -----------------------------------------------------------------------------


def idle(process):
    """It has done nothing for a while."""
    def ticks():
        with open(f"/proc/{process.pid}/schedstat") as file:
            return file.read().split()[0]
    before = ticks()
    time.sleep(0.05)  # less than between two looks at the modem lines
    return before == ticks()


def test_a_slow_client_loses_nothing_and_costs_no_memory(serve):
    server = serve()
    client = server.connect()
    server.says("has the port")
    before = rss(server.process)
    data = os.urandom(24 << 20)
    writer = threading.Thread(target=server.board.say, args=(data,))
    writer.start()
    time.sleep(1)  # it does not read at all for a while
    assert writer.is_alive()
    assert rss(server.process) < before + 16 * 1024
    assert client.receive(len(data)) == data
    writer.join()


def test_an_owner_that_asks_and_does_not_read_costs_no_memory_and_gets_every_answer(serve):
    server = serve(env=NO_QUARANTINE)
    client = negotiated(server, room=64 * 1024)
    before = rss(server.process)
    client.send(sub(0))
    answer = client.receive(1)
    while not answer.endswith(SE):
        answer += client.receive(1)
    times = 20 * (1 << 20) // len(answer)
    asking = threading.Thread(target=client.send, args=(sub(0) * times,))
    asking.start()
    wait(lambda: idle(server.process))
    assert rss(server.process) < before + 8 * 1024
    for _ in range(times):
        assert client.receive(len(answer)) == answer
    asking.join()


def test_a_device_that_takes_nothing_costs_no_memory(serve):
    server = serve()
    before = rss(server.process)
    client = server.connect()
    client.socket.settimeout(2)
    with pytest.raises(socket.timeout):
        client.send(b"x" * (64 << 20))
    assert rss(server.process) < before + 16 * 1024


def test_a_client_that_goes_while_the_device_takes_nothing_frees_the_port(serve):
    server = serve()
    client = server.connect()
    client.send(b"x" * 150000)
    client.close()
    server.says("has left")
    again = server.connect()
    again.send(b"END")
    data = b""
    while not data.endswith(b"END"):
        data += server.board.hear(1)
    assert len(data) < 150000


def test_purge_empties_what_a_stuck_device_was_to_get(serve):
    server = serve()
    client = negotiated(server)
    client.send(b"x" * 60000 + sub(12, 2))
    assert client.receive(7) == sub(112, 2)
    client.send(b"END")
    data = b""
    while not data.endswith(b"END"):
        data += server.board.hear(1)
    assert len(data) < 60000


def test_purge_empties_what_the_client_was_to_get(serve):
    server = serve()
    client = negotiated(server)
    client.send(sub(8) + sub(10, 0))
    assert client.receive(7) == sub(110, 0)
    server.board.say(b"old")
    with open(server.board.link, "rb", buffering=0) as terminal:
        wait(lambda: fcntl.ioctl(terminal, termios.FIONREAD, b"\0" * 4) == b"\3\0\0\0")
    client.send(sub(12, 1) + sub(9))
    assert client.receive(7) == sub(112, 1)
    server.board.say(b"new")
    assert client.receive(3) == b"new"


def test_a_killed_client_frees_the_port(serve):
    server = serve()
    script = ("import serial,sys; p=serial.serial_for_url(sys.argv[1]); p.write(b'flash'*20000); "
              "print('on', flush=True); p.read(1)")
    with subprocess.Popen([sys.executable, "-c", script, f"rfc2217://127.0.0.1:{server.port}"],
                          stdout=subprocess.PIPE) as client:
        server.board.hear(50000)
        client.send_signal(signal.SIGKILL)
    server.says("has left")
    with rfc2217(server) as port:
        port.write(b"again")
        wait(lambda: b"again" in server.board.hear(5) or None)


# --- a device that goes and comes back ------------------------------------------------------------


def test_a_replugged_device_keeps_its_client(serve):
    server = serve()
    client = negotiated(server)
    client.send(sub(1, 0, 0, 0x25, 0x80))
    client.receive(10)
    server.board.unplug()
    server.says("kept for now")
    client.send(b"into the air" + sub(1, 0, 0, 0, 0))
    assert client.receive(10) == sub(101, 0, 0, 0x25, 0x80)
    server.board.plug()
    server.says("is there")
    assert server.board.settings()[4] == termios.B9600
    server.board.say(b"back")
    assert client.receive(4) == b"back"
    client.send(b"too")
    assert server.board.hear(3) == b"too"


def test_a_device_that_stays_away_costs_its_client(serve):
    server = serve("--hold", "0.5")
    client = server.connect()
    server.says("has the port")
    server.board.unplug()
    assert b"has been gone for 0.5 s" in client.rest()
    assert b"not plugged in" in server.connect().rest()
    server.board.plug()
    server.says("is there")
    again = server.connect()
    again.send(b"x")
    assert server.board.hear(1) == b"x"


def test_a_device_yanked_while_it_is_written_to(serve):
    server = serve()
    client = server.connect()
    client.send(b"x" * 50000)
    server.board.hear(100)
    server.board.unplug()
    server.says("kept for now")
    server.board.plug()
    server.says("is there")
    client.send(b"y")
    data = server.board.hear(1)
    while data[-1:] != b"y":
        data = server.board.hear(1)


# --- log ------------------------------------------------------------------------------------------


def test_the_log_has_what_the_device_said_and_rotates_at_10_mib(serve, tmp_path):
    log = tmp_path / "board.log"
    server = serve("--log", str(log))
    limit = 10 << 20
    data = os.urandom(1 << 20) * 31
    for start in range(0, len(data), 1 << 20):
        server.board.say(data[start:start + (1 << 20)])
        wait(lambda: sum(file.stat().st_size for file in tmp_path.glob("board.log*")) >=
             min(start + (1 << 20), 20 << 20))
    wait(lambda: log.stat().st_size == 1 << 20)
    assert sorted(file.name for file in tmp_path.glob("board.log*")) == ["board.log", "board.log.1", "board.log.2"]
    whole = b"".join((tmp_path / name).read_bytes() for name in ("board.log.2", "board.log.1", "board.log"))
    assert (tmp_path / "board.log.1").stat().st_size == limit
    assert whole == data[-len(whole):]
