# SPDX-License-Identifier: MIT
"""docs/containers.md: its Docker line, its Compose block and its lines for LXC, as they are there, in a Debian 12 with Docker
and LXC (the node stands in for a VM), while a serial adapter comes and goes."""

import contextlib
import shlex
import socket
import sys
from pathlib import Path

import pytest

from lab import containers
from lab.containers import Docker, Lxc

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "process"))
import docs_text  # noqa: E402

pytestmark = [pytest.mark.more, pytest.mark.long]
NOT_PERMITTED, DENIED, ABSENT = "Operation not permitted", "Permission denied", "No such file or directory"
SOMEBODY, DIALOUT = 1000, 20
TTY = "/dev/ttyUSB0"


def block(beginning):
    """The page's own words, so that they cannot differ from what is run here."""
    page = docs_text.REPOSITORY / "docs/containers.md"
    return next(text for _, text in docs_text.blocks(page) if text.startswith(beginning))


DOCUMENTED = block("docker run").replace("--rm -it", "-d --name documented")
MODULES = block("printf 'cdc_acm")


@pytest.fixture(scope="module")
def with_containers(whole_lab):
    with containers.brought(whole_lab.node):
        yield


@pytest.fixture
def node(lab, with_containers):
    yield lab.node
    lab.node.run("docker ps -aq | xargs -r docker rm -f; rm -f /etc/modules-load.d/usb-serial.conf; lxc-stop -k -n 105 2>/dev/null; true")


class Adapter:
    """A USB serial adapter in the node's own port; what is written to it arrives here."""

    def __init__(self, lab, name="adapter", port="1.2.1"):
        self.lab, self.name, self.port = lab, name, port

    def plug(self, tty=TTY):
        self.lab.node.plug_local(self.name, "usb-serial", port=self.port)
        self.lab.wait(lambda: self.lab.node.run(f"stat -c %G {tty}").strip() == "dialout", what=f"{tty}, and udev done with it")

    def unplug(self, tty=TTY):
        self.lab.node.unplug_local(self.name)
        self.lab.wait(lambda: self.lab.node.run(f"test -e {tty} || echo gone", check=False).stdout, what=f"{tty} to go")

    def replug(self):
        self.unplug()
        self.plug()

    def hears(self, container, tty=TTY, **user):
        """What the container says; asserts that its bytes have come out of this adapter if it says nothing."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as line:
            line.connect(str(self.lab.node.folder / f"{self.name}.tty"))
            line.settimeout(60)
            said = container.run(f'set -- {tty}; echo longcord >"$1"', **user)
            heard = b""
            while not said and b"longcord" not in heard:
                heard += line.recv(100)
        return said


def test_docker_has_what_is_plugged_later(lab, node):
    node.run(MODULES)
    documented = Docker(node, "documented", DOCUMENTED)
    adapter = Adapter(lab)
    assert ABSENT in documented.run(f"ls {TTY}")
    adapter.plug()
    assert adapter.hears(documented) == adapter.hears(documented, user=SOMEBODY) == ""
    node.run("systemctl daemon-reload")
    adapter.replug()
    assert adapter.hears(documented, "/dev/serial/by-path/*") == adapter.hears(documented, user=SOMEBODY) == ""
    # With a terminal, as the line is on the page.
    line = block("docker run").replace("IMAGE", f"lab busybox stty -F {TTY}")
    assert "speed 9600 baud" in node.run(f"script -qec {shlex.quote(line)} /dev/null", timeout=300)


def test_docker_before_the_kernel_knows_the_major_number(lab, node):
    node.run("modprobe -r ftdi_sio usbserial")
    documented, adapter = Docker(node, "documented", DOCUMENTED), Adapter(lab)
    adapter.plug()
    assert adapter.hears(documented) == ""
    node.run("systemctl daemon-reload")
    assert NOT_PERMITTED in adapter.hears(documented)


def test_docker_without_one_of_the_three(lab, node):
    adapter, other = Adapter(lab), Adapter(lab, "other", "1.2.3")
    adapter.plug()
    assert NOT_PERMITTED in adapter.hears(Docker(node, "unruled", "docker run -d --name unruled -v /dev:/dev:rslave IMAGE"))
    ungrouped = Docker(node, "ungrouped", DOCUMENTED.partition("--group-add")[0].replace("documented", "ungrouped") + "IMAGE")
    assert adapter.hears(ungrouped) == "" and DENIED in adapter.hears(ungrouped, user=SOMEBODY)
    given = Docker(node, "given", f"docker run -d --name given --device {TTY} IMAGE")
    seeing = Docker(node, "seeing", f"docker run -d --name seeing --device {TTY} -v /dev:/dev:rslave IMAGE")
    assert adapter.hears(given) == adapter.hears(seeing) == ""
    # Another one takes its name: --device is of a number, and not of a device.
    adapter.unplug()
    other.plug()
    adapter.plug("/dev/ttyUSB1")
    assert ABSENT in given.run("ls /dev/ttyUSB1") and NOT_PERMITTED in adapter.hears(seeing, "/dev/ttyUSB1")
    assert other.hears(given) == ""


def test_compose(lab, node):
    node.run(MODULES)
    text = block("services:").replace("IMAGE", f"lab\n    command: {containers.STAYS}")
    node.put(text, "/root/compose/docker-compose.yml")
    node.run("cd /root/compose && docker-compose up -d", timeout=300)
    composed, adapter = Docker(node, "compose_build_1"), Adapter(lab)
    adapter.plug()
    assert adapter.hears(composed) == adapter.hears(composed, user=SOMEBODY) == ""
    node.run("cd /root/compose && docker-compose down", timeout=300)


def test_lxc_has_what_is_there_at_its_start(lab, node):
    adapter = Adapter(lab)
    adapter.plug()
    container = Lxc(node, block("lxc.cgroup2"))
    somebody = {"user": SOMEBODY, "group": DIALOUT}
    assert adapter.hears(container, "/dev/serial/by-path/*") == adapter.hears(container, **somebody) == ""
    adapter.replug()
    # The node that it has is the old one, of which the kernel has taken all rights; and root needs none.
    assert ABSENT in container.run("ls /dev/serial/by-path") and DENIED in adapter.hears(container, **somebody)
    assert adapter.hears(container) == ""
    container.stop()
    container.start()
    assert adapter.hears(container, "/dev/serial/by-path/*") == adapter.hears(container, **somebody) == ""


def test_lxc_unprivileged(lab, node):
    adapter = Adapter(lab)
    adapter.plug()
    container = Lxc(node, block("lxc.cgroup2"), unprivileged=True)
    assert DENIED in adapter.hears(container)
    node.run(f"chmod 666 {TTY}")  # as a udev rule with MODE="0666" does
    assert adapter.hears(container) == ""
    adapter.replug()
    assert DENIED in adapter.hears(container)
