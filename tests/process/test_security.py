# SPDX-License-Identifier: MIT
"""What docs/security.md says of ports and privileges, held against what the programs and packages do."""
import re
import socket
from pathlib import Path

import pytest
from host_world import wait
from test_pi import pi  # noqa: F401 (a fixture)

REPOSITORY = Path(__file__).resolve().parents[2]
PAPER = (REPOSITORY / "docs/security.md").read_text()
LISTENING = "0A"  # TCP_LISTEN, include/net/tcp_states.h
UNBOUND = "07"    # TCP_CLOSE: a UDP socket that is bound and not connected


def sockets_of(process):
    """(protocol, address, port) of each network socket of this process at which somebody could arrive."""
    inodes = set()
    for entry in Path(f"/proc/{process}/fd").iterdir():
        try:
            inodes |= set(re.findall(r"socket:\[(\d+)\]", str(entry.readlink())))
        except OSError:
            continue  # closed meanwhile
    found = set()
    for protocol, state in (("tcp", LISTENING), ("tcp6", LISTENING), ("udp", UNBOUND), ("udp6", UNBOUND)):
        for line in Path(f"/proc/{process}/net/{protocol}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == state and words[9] in inodes:
                address, port = words[1].split(":")
                found.add((protocol[:3], address, int(port, 16)))
    return found


def test_a_node_listens_on_no_network_address(world):
    assert sockets_of(world.process.pid) == set()


def test_an_offered_serial_port_is_the_one_that_a_node_listens_at(world):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    world.config.write_text('{"node": "pve1", "serial": {"offers": [{"pi": "workbench", "port": 4000, '
                            f'"listen": "127.0.0.1:{port}"' '}]}}')
    world.stop()
    world.serve()
    assert sockets_of(world.process.pid) == {("tcp", "0100007F", port)}


def test_a_pi_listens_at_its_usbip_port_and_nowhere_else(pi):  # noqa: F811
    with socket.create_server(("::", 0), family=socket.AF_INET6) as probe:
        port = probe.getsockname()[1]
    pi.config.write_text(f"usbip_port: {port}\n")
    pi.serve()
    wait(lambda: pi.ask("status")["result"]["usbip"]["listening"])
    assert {(protocol, number) for protocol, _, number in sockets_of(pi.process.pid)} == {("tcp", port)}


def unit(service):
    """Each setting with all its values, in order."""
    settings = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", (REPOSITORY / f"packaging/systemd/{service}.service").read_text(), re.M):
        settings.setdefault(key, []).append(value)
    return settings


@pytest.mark.parametrize("service", ["longcord-host", "longcord-pi", "longcord-portal"])
def test_the_capabilities_of_a_service_are_those_that_are_explained(service):
    row, = re.findall(rf"^\| `{service}` \|([^|]*)\|([^|]*)\|", PAPER, re.M)
    user, kept = row
    settings = unit(service)
    assert set(re.findall(r"CAP_\w+", kept)) == set(settings["CapabilityBoundingSet"][-1].split())
    assert settings.get("User", ["root"]) == [user.strip()]
    assert settings["NoNewPrivileges"] == ["yes"]
    assert not set(settings.get("AmbientCapabilities", [])) - {""}


def shipped():
    for folder in ("packaging", "cmake", "src", "config", "udev", "hookscript"):
        for path in (REPOSITORY / folder).rglob("*"):
            if path.is_file() and path.suffix not in (".png", ".woff2", ".ico"):
                yield path, path.read_text(errors="replace")


def test_nothing_is_setuid_and_nothing_asks_sudo_or_polkit():
    """`setuid` programs would be made by these; what systemd is asked for is RestrictSUIDSGID."""
    made = re.compile(r"SETUID|SETGID|chmod\s+(?:\S+\s+)*(?:[ugoa]*\+s|[2467]\d{3})\b|setcap\b|sudoers|polkit|pkexec")
    assert [(str(path), found.group()) for path, text in shipped() if (found := made.search(text))] == []


def test_every_listening_thing_is_in_the_paper():
    """Who accepts is found in the sources; each has a line that names its file."""
    accepts = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "src").rglob("*.cpp")
               if re.search(r"\.async_accept\(|::accept4?\(", path.read_text())}
    assert accepts
    assert {name for name in accepts if f"`{name}`" not in PAPER} == set()
