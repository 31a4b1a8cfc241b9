# SPDX-License-Identifier: MIT
"""The user longcord's keys can do nothing but the link, and the link works beside an admin's own
sshd settings: a real sshd with the drop-in as it is shipped."""
import base64
import os
import socket
import subprocess
from pathlib import Path

import pytest
from host_world import binary, wait
from pairing_world import Node, Pi, free_port, machines, node, pi  # noqa: F401 (fixtures)

HARDENED = """AllowUsers root admin
AllowGroups sudo
AuthenticationMethods publickey,keyboard-interactive
KbdInteractiveAuthentication yes
ForceCommand /bin/false
ChrootDirectory /srv
PermitUserEnvironment yes
AcceptEnv *
X11Forwarding yes
AllowTcpForwarding yes
AllowAgentForwarding yes
MaxSessions 1
"""

# The other way round: what an admin may have allowed to everybody.
GENEROUS = """AllowTcpForwarding yes
AllowStreamLocalForwarding yes
AllowAgentForwarding yes
X11Forwarding yes
GatewayPorts yes
PermitTunnel yes
PermitTTY yes
PermitUserRC yes
AcceptEnv *
AuthorizedKeysFile .ssh/authorized_keys
"""


@pytest.mark.parametrize("before,after", [(HARDENED, ""), ("", HARDENED)], ids=["before", "after"])
def test_a_pi_is_paired_and_linked_beside_an_admins_settings(machines, pi, before, after):
    """`before` and `after`: read by sshd before our drop-in or after it."""
    node = Node(sshd_conf=before, after_conf=after)
    machines.append(node)
    node.up()
    pi.join(node.pair("workbench"))
    assert node.wait_linked("workbench")


class Login:
    """What the owner of a paired key can try with OpenSSH's own client."""

    def __init__(self, node):
        self.node = node
        self.key = node.root / "stolen"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        done = node.cli("pair", "workbench", "--key", f"{self.key}.pub")
        assert done.returncode == 0, done.stderr
        self.options = ["-F", "none", "-i", str(self.key), "-o", "IdentitiesOnly=yes",
                        "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
                        "-o", f"UserKnownHostsFile={node.root}/known", "-o", "SendEnv=LONGCORD_TEST",
                        "-o", "ExitOnForwardFailure=yes"]

    def command(self, *words):
        return ["ssh", "-p", str(self.node.port), *self.options, *words]

    def ssh(self, *words, user="longcord", **more):
        where = f"{user}@{self.node.address}"
        words = [where if word == "HOST" else word for word in words]
        return subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, **more)

    def hold(self, *words, **more):
        return subprocess.Popen(self.command(*words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **more)


@pytest.fixture(params=["", GENEROUS], ids=["as Debian has it", "beside a generous admin"])
def login(machines, request):
    node = Node(home=True, sshd_conf=request.param)
    machines.append(node)
    ssh = node.root / "home/.ssh"
    ssh.mkdir()
    other = node.root / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    (ssh / "authorized_keys").write_text((node.root / "other.pub").read_text())
    (ssh / "rc").write_text(f"touch {node.root}/tmp/rc-ran\n")
    (ssh / "environment").write_text("LONGCORD_TEST=1\n")
    (node.root / "tmp").mkdir(mode=0o777)
    (node.root / "tmp").chmod(0o777)
    subprocess.run(["chown", "-R", "root", node.root / "home"], check=True)
    return Login(node.up())


HOST = "longcord@127.0.0.1"


def test_no_shell_no_command_no_terminal(login):
    mark = login.node.root / "tmp/mark"
    for words in ([HOST, f"touch {mark}; id"], ["-tt", HOST, f"touch {mark}; id"], ["-tt", HOST],
                  ["-T", HOST, "sh", "-c", f"touch {mark}"], ["-s", HOST, "sftp"]):
        done = login.ssh(*words)
        assert "uid=" not in done.stdout and not mark.exists(), done
    assert "PTY allocation request failed" in login.ssh("-tt", HOST).stderr


def test_no_scp_and_no_sftp(login):
    mark = login.node.root / "tmp/mark"
    mark.touch()
    for words in (["scp"], ["scp", "-O"]):
        for source, target in ((str(mark), f"{HOST}:{mark}-2"), (f"{HOST}:/etc/passwd", f"{mark}-3")):
            done = subprocess.run([*words, "-P", str(login.node.port), *login.options, source, target],
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
            assert done.returncode != 0
    done = subprocess.run(["sftp", "-P", str(login.node.port), *login.options, HOST], input=b"ls\n",
                          capture_output=True, timeout=60)
    assert done.returncode != 0
    assert not Path(f"{mark}-2").exists() and not Path(f"{mark}-3").exists()


def carries(connection):
    """Whether sshd's greeting comes through."""
    connection.settimeout(10)
    try:
        return connection.recv(3) == b"SSH"
    except ConnectionError:
        return False


def test_no_forwarding_of_ports_to_the_node(login):
    port = free_port()
    ssh = login.hold("-N", "-L", f"{port}:127.0.0.1:{login.node.port}", HOST)
    try:
        connection = wait(lambda: connect(port))
        assert not carries(connection)
    finally:
        ssh.kill()
    assert b"administratively prohibited" in ssh.communicate()[1]


def connect(port):
    try:
        return socket.create_connection(("127.0.0.1", port))
    except ConnectionRefusedError:
        return None


def connect_unix(path):
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(str(path))
        return client
    except (ConnectionRefusedError, FileNotFoundError):
        client.close()
        return None


def test_no_socks_proxy(login):
    port = free_port()
    ssh = login.hold("-N", "-D", str(port), HOST)
    try:
        connection = wait(lambda: connect(port))
        connection.sendall(b"\x05\x01\x00")
        assert connection.recv(2) == b"\x05\x00"
        target = socket.inet_aton("127.0.0.1") + login.node.port.to_bytes(2, "big")
        connection.sendall(b"\x05\x01\x00\x01" + target)
        connection.settimeout(10)
        answer = connection.recv(10)
        assert answer[1:2] != b"\x00" and not (answer and carries(connection))
    finally:
        ssh.kill()
        ssh.wait()


def test_no_forwarding_from_the_node_and_none_of_unix_sockets(login):
    socket_file = login.node.root / "tmp/socket"
    for words in (["-N", "-R", "0:127.0.0.1:1", HOST], ["-N", "-R", f"{socket_file}:127.0.0.1:1", HOST]):
        done = login.ssh(*words)
        assert done.returncode == 255 and "forwarding failed" in done.stderr.lower(), done.stderr
    assert not socket_file.exists()
    local = login.node.root / "tmp/local"
    control = login.node.root / "run/longcord/host.sock"
    ssh = login.hold("-N", "-L", f"{local}:{control}", HOST)
    try:
        with wait(lambda: connect_unix(local)) as client:
            client.settimeout(10)
            client.sendall(b'{"verb":"status"}\n')
            try:
                assert client.recv(1) == b""
            except ConnectionError:
                pass
    finally:
        ssh.kill()
        ssh.wait()


def environments(node):
    """Of every longcord-link below this node's sshd."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if "longcord-link" in os.readlink(process / "exe"):
                text = (process / "environ").read_bytes().decode()
                if f"LONGCORD_ROOT={node.root}\0" in text:
                    found.append(dict(entry.split("=", 1) for entry in text.split("\0") if "=" in entry))
        except OSError:
            pass  # it has ended
    return found


def test_no_agent_no_display_no_variables_no_rc_file(login, tmp_path):
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "agent"], stdout=subprocess.DEVNULL)
    wait((tmp_path / "agent").exists)
    ours = {**os.environ, "SSH_AUTH_SOCK": str(tmp_path / "agent"), "DISPLAY": "127.0.0.1:9",
            "LONGCORD_TEST": "1"}
    ssh = login.hold("-A", "-X", HOST, "longcord-link", env=ours)
    try:
        seen, = wait(lambda: environments(login.node))
        assert not {"SSH_AUTH_SOCK", "DISPLAY", "LONGCORD_TEST", "SSH_TTY"} & set(seen), seen
        assert login.node.wait_linked("workbench")
    finally:
        for process in (ssh, agent):
            process.kill()
            process.wait()
    assert not (login.node.root / "tmp/rc-ran").exists()


def test_keys_in_the_users_home_let_nobody_in(login):
    login.options[login.options.index(str(login.key))] = str(login.node.root / "other")
    done = login.ssh(HOST, "id")
    assert done.returncode == 255 and "Permission denied (publickey)" in done.stderr


def test_a_throw_away_key_can_hand_over_a_key_and_nothing_else(login):
    """Whoever decodes a token has no more than `join` has."""
    node = login.node
    node.pair("bench")
    keys = subprocess.run([binary("longcord-keys"), "--root", node.root], capture_output=True, text=True).stdout
    line, = [line for line in keys.splitlines() if "--pair bench" in line]
    assert line.startswith('restrict,expiry-time="') and 'command="' in line
    pending, = (node.root / "etc/longcord/pairing").iterdir()
    secret = node.root / "throw-away"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", secret], check=True)
    text = pending.read_text()  # a throw-away key whose private half this test has
    own = Path(f"{secret}.pub").read_text().split()[:2]
    print_of = subprocess.run(["ssh-keygen", "-lf", secret], capture_output=True, text=True).stdout.split()[1]
    old = text[text.index("ssh-ed25519"):].split('"')[0]

    ident = base64.b64decode(print_of.removeprefix("SHA256:") + "=")[:8].hex()
    pending.unlink()
    (pending.parent / f"bench.{ident}").write_text(text.replace(old, " ".join(own)))
    login.options[login.options.index(str(login.key))] = str(secret)
    mark = node.root / "tmp/mark"
    done = login.ssh(HOST, f"touch {mark}")
    assert not mark.exists() and "welcome" not in done.stdout
    # A Pi's words over it are no link: the node hears a wrong use.
    done = subprocess.run(login.command(HOST), input='{"type":"hello","version":1}\n',
                          capture_output=True, text=True, timeout=60)
    assert '"final":true' in done.stdout and "all that this key is for" in done.stdout
    node.says("was used from 127.0.0.1 without a key", "token-refused")
    assert "bench" not in node.pis()
    done = subprocess.run(
        login.command(HOST), capture_output=True, text=True, timeout=60,
        input='{"type":"pair","version":1,"key":"%s"}\n' % (login.key.with_suffix(".pub").read_text().strip()))
    assert '"pi":"bench"' in done.stdout, done
    assert "bench" in node.pis()
