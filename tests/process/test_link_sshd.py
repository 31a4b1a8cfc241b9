# SPDX-License-Identifier: MIT
"""The installed shape of the login: the drop-in as it is shipped, the account as systemd-sysusers
makes it, and Debian's sshd, in a mount namespace of their own where /etc and /usr/libexec are copies."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BUILT = [REPOSITORY / "build" / preset / "bin" for preset in ("asan", "debug", "release")]
BIN = Path(os.environ.get("LONGCORD_BIN") or next((b for b in BUILT if b.is_dir()), BUILT[0]))
DROP_IN = REPOSITORY / "config/sshd/50-longcord.conf"
SYSUSERS = REPOSITORY / "packaging/sysusers/longcord-host.conf"
SSHD = "/usr/sbin/sshd"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="sshd needs root")


@pytest.fixture(scope="module", autouse=True)
def privilege_separation_folder():
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)


def effective(config: Path, user: str) -> dict[str, list[str]]:
    """What `sshd -T` says for this user: keyword to its values."""
    text = subprocess.run(
        [SSHD, "-T", "-f", config, "-C", f"user={user},host=pi,addr=10.77.0.2"],
        check=True, capture_output=True, text=True).stdout
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        values.setdefault(keyword, []).append(value)
    return values


@pytest.fixture
def hardened(tmp_path):
    """An admin's own sshd_config around our drop-in, as strict as they come."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    config = tmp_path / "sshd_config"
    config.write_text(
        f"HostKey {tmp_path}/key\n"
        f"Include {DROP_IN}\n"
        "AllowUsers root admin\n"
        "AllowGroups sudo\n"
        "AuthenticationMethods password,keyboard-interactive\n"
        "PubkeyAuthentication no\n"
        "KbdInteractiveAuthentication yes\n"
        "ForceCommand /usr/bin/menu\n"
        "ChrootDirectory /srv\n"
        f"TrustedUserCAKeys {tmp_path}/key.pub\n"
        "AcceptEnv *\n"
        "PermitTunnel yes\n"
        "UsePAM yes\n"
        "X11Forwarding yes\n"
        "MaxSessions 1\n")
    return config


def test_the_login_works_beside_an_admins_hardening(hardened):
    ours = effective(hardened, "longcord")
    assert ours["allowusers"] == ["longcord"]
    assert ours["allowgroups"] == ["longcord"]
    assert ours["authenticationmethods"] == ["publickey"]
    assert ours["pubkeyauthentication"] == ["yes"]
    assert ours["authorizedkeyscommand"] == ["/usr/libexec/longcord/longcord-keys"]
    assert ours["authorizedkeyscommanduser"] == ["root"]
    assert ours["maxsessions"] == ["4"]


def test_and_it_can_do_nothing_else(hardened):
    ours = effective(hardened, "longcord")
    for keyword, value in {
        "authorizedkeysfile": "none", "trustedusercakeys": "none", "authorizedprincipalsfile": "none",
        "forcecommand": "none", "chrootdirectory": "none", "disableforwarding": "yes", "permittunnel": "no",
        "permittty": "no", "permituserrc": "no", "acceptenv": "LONGCORD_ACCEPTS_NOTHING",
        "clientaliveinterval": "5", "clientalivecountmax": "3",
    }.items():
        assert ours[keyword] == [value]


def test_everybody_else_is_as_the_admin_set_it(hardened):
    for user in ("root", "admin"):
        theirs = effective(hardened, user)
        assert theirs["allowusers"] == ["root", "admin"]
        assert theirs["allowgroups"] == ["sudo"]
        assert theirs["authenticationmethods"] == ["password,keyboard-interactive"]
        assert theirs["pubkeyauthentication"] == ["no"]
        assert theirs["forcecommand"] == ["/usr/bin/menu"]
        assert theirs["disableforwarding"] == ["no"]
        assert theirs["permittunnel"] == ["yes"]
        assert theirs["acceptenv"] == ["*"]
        assert theirs["maxsessions"] == ["1"]


INSIDE = r"""
set -e
world=$1 port=$2 password=$3 use_pam=$4
mount --make-rprivate /
cp -a /etc "$world/etc"
mkdir -p "$world/libexec/longcord" "$world/run/sshd" "$world/run/longcord"
cp "$BIN/longcord-keys" "$BIN/longcord-link" "$world/libexec/longcord/"
mount --bind "$world/etc" /etc
mount --bind "$world/libexec" /usr/libexec
mount --bind "$world/run" /run
systemd-sysusers "$SYSUSERS"
test -z "$password" || usermod -p "$password" longcord
mkdir -p /etc/longcord/pis
cp "$world/identity.pub" /etc/longcord/pis/workbench
cp "$DROP_IN" /etc/ssh/sshd_config.d/
printf 'UsePAM %s\nListenAddress 127.0.0.1\nPort %s\nHostKey %s\nPidFile none\n' \
    "$use_pam" "$port" "$world/host_key" > /etc/ssh/sshd_config.d/00-test.conf
chown longcord /run/longcord
exec /usr/sbin/sshd -D -e
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, what: str, patience: float = 20):
    end = time.monotonic() + patience
    while not (result := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.01)
    return result


def accepts(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def node(tmp_path_factory):
    """A function that starts sshd in its own world and gives back (process, world, port)."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("no mount namespaces here")
    started = []

    # Not below /tmp: sshd follows every folder up to the root and wants each to be root's alone.
    def start(password: str = "", use_pam: str = "yes"):
        world = Path(f"/var/lib/longcord-test-{os.getpid()}-{len(started)}")
        world.mkdir(mode=0o755)
        for key in ("host_key", "identity"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", world / key], check=True)
        port = free_port()
        log = open(world / "log", "w")
        environment = {**os.environ, "BIN": str(BIN), "SYSUSERS": str(SYSUSERS), "DROP_IN": str(DROP_IN)}
        sshd = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", INSIDE, "sh", world, str(port), password, use_pam],
            stdout=log, stderr=log, env=environment)
        started.append((sshd, world))
        wait_for(lambda: accepts(port) or sshd.poll() is not None, "sshd does not start")
        assert sshd.poll() is None, (world / "log").read_text()
        return sshd, world, port

    yield start
    for sshd, world in started:
        sshd.kill()
        sshd.wait()
        shutil.rmtree(world, ignore_errors=True)


def log_in(world: Path, port: int) -> subprocess.Popen:
    return subprocess.Popen(
        ["ssh", "-F", "none", "-p", str(port), "-i", world / "identity", "-o", "IdentitiesOnly=yes",
         "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
         "longcord@127.0.0.1", "longcord-link"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("password,use_pam", [("", "yes"), ("*", "yes"), ("*", "no")])
def test_a_pi_logs_in_as_the_shipped_account(node, password, use_pam):
    _, world, port = node(password, use_pam)
    service = socket.socket(socket.AF_UNIX)
    service.bind(str(world / "run/longcord/link.sock"))
    (world / "run/longcord/link.sock").chmod(0o666)
    service.listen()
    service.settimeout(20)
    pi = log_in(world, port)
    try:
        link, _ = service.accept()
        link.settimeout(20)
        lines = link.makefile("rw")
        preface = lines.readline()
        assert '"pi":"workbench"' in preface and '"address":"127.0.0.1"' in preface
        lines.write('{"type":"ping","n":1}\n')
        lines.flush()
        assert pi.stdout.readline() == b'{"type":"ping","n":1}\n'
        pi.stdin.write(b'{"type":"pong","n":1}\n')
        pi.stdin.flush()
        assert lines.readline() == '{"type":"pong","n":1}\n'
        pi.stdin.close()  # the session is over: so is longcord-link
        assert lines.readline() == ""
        assert pi.wait(20) == 0
    finally:
        pi.kill()
        pi.wait()


def test_without_pam_the_account_must_not_look_locked(node):
    """Why the package's postinst turns sysusers' "!*" into "*"."""
    _, world, port = node("", "no")
    pi = log_in(world, port)
    _, errors = pi.communicate(timeout=20)
    assert pi.returncode == 255 and b"Permission denied" in errors
    assert "account is locked" in (world / "log").read_text()
