# SPDX-License-Identifier: MIT
"""Networks of a test's own, as network namespaces: with addresses that are not this machine's, and with
peers that fall silent without closing anything."""
import ctypes
import os
import socket
import subprocess
import threading
from contextlib import contextmanager

from serial_port import wait

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Network:
    def __init__(self):
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"])
        self.path = f"/proc/{self.holder.pid}/ns/net"
        ours = os.readlink("/proc/self/ns/net")
        wait(lambda: os.readlink(self.path) != ours)
        self.within = ["nsenter", f"--net={self.path}"]
        self.ip("link set lo up")

    def ip(self, words):
        subprocess.run([*self.within, "ip", *words.split()], check=True)

    def output(self, *command):
        return subprocess.run([*self.within, *command], check=True, capture_output=True, text=True).stdout

    def inside(self, function):
        """What `function` returns in this network. (A socket stays where it was made.)"""
        result = []

        def enter():
            with open(self.path, encoding="ascii") as namespace:
                assert LIBC.setns(namespace.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            result.append(function())
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return result[0]

    def connect(self, address, port, source="0.0.0.0"):
        return self.inside(lambda: socket.create_connection((address, port), 30, (source, 0)))

    def close(self):
        self.holder.kill()
        self.holder.wait()


@contextmanager
def network():
    net = Network()
    try:
        yield net
    finally:
        net.close()


@contextmanager
def two_networks():
    """10.99.0.1 and 10.99.0.2, with a cable between them."""
    with network() as one, network() as two:
        one.ip(f"link add eth0 type veth peer name eth0 netns {two.holder.pid}")
        for number, net in enumerate((one, two), 1):
            net.ip(f"address add 10.99.0.{number}/24 dev eth0")
            net.ip("link set eth0 up")
        yield one, two


@contextmanager
def cable():
    """A network of its own with 10.97.0.2, and a cable from there to this machine, which is 10.97.0.1."""
    with network() as net:
        here = f"lc{os.getpid()}"
        net.ip(f"link add eth0 type veth peer name {here} netns {os.getpid()}")
        net.ip("address add 10.97.0.2/24 dev eth0")
        net.ip("link set eth0 up")
        for words in (f"address add 10.97.0.1/24 dev {here}", f"link set {here} up"):
            subprocess.run(["ip", *words.split()], check=True)
        try:
            yield net
        finally:
            subprocess.run(["ip", "link", "delete", here], check=True)
