"""The bench's second node, with nothing of Longcord: three cables, one /etc/pve, a live migration.
On demand: tests/lab/run -m long"""

import pytest

pytestmark = pytest.mark.long

# Watches a directory as the product does, and prints the names that inotify told of before "done" was among them.
WATCH = """
import ctypes, os
libc = ctypes.CDLL(None)
fd = libc.inotify_init1(0)
IN_CREATE, IN_MOVED_TO = 0x100, 0x80
libc.inotify_add_watch(fd, b"/etc/pve/nodes/node/qemu-server", IN_CREATE | IN_MOVED_TO)
open("/run/watching", "w").close()
while True:
    names = os.read(fd, 4096)[16:].rstrip(b"\\0").decode()
    print(names, flush=True)
    if names == "done":
        break
"""


@pytest.fixture(scope="module", autouse=True)
def node2(whole_lab):
    if whole_lab.product:
        pytest.skip("Longcord is installed: a bench scenario wants the bench alone")
    yield whole_lab.with_node2()
    whole_lab.without_node2()


def reaches(one, other):
    return one.run(f"ping -c1 -W2 {other.address}", check=False).returncode == 0


def test_each_cable_is_cut_by_itself(lab):
    pairs = [(lab.node, lab.pi), (lab.node, lab.node2), (lab.pi, lab.node2)]
    for ends in pairs:
        lab.wait(lambda: reaches(*ends), what="the cable to carry")
    for ends in pairs:
        lab.cut_cable(*ends)
        assert [reaches(*pair) for pair in pairs] == [pair is not ends for pair in pairs]
        lab.restore_cable(*ends)
        lab.wait(lambda: reaches(*ends), what="the cable to carry again")


def test_what_one_node_writes_the_other_sees_but_is_not_told(lab):
    lab.node2.put(WATCH, "/root/watch.py")
    lab.node2.run("rm -f /run/watching; python3 /root/watch.py >/root/told 2>&1 & exec >&- 2>&-")
    lab.wait(lambda: lab.node2.run("test -e /run/watching && echo yes", check=False).stdout, what="the watch")
    lab.node.put("3-4\n", "/etc/pve/qemu-server/100.usb.conf")
    assert lab.node2.read("/etc/pve/nodes/node/qemu-server/100.usb.conf") == "3-4\n"
    lab.node2.run("touch /etc/pve/nodes/node/qemu-server/done")
    told = lab.wait(lambda: lab.node2.run("cat /root/told").split(), what="the watch to end")
    assert told == ["done"]
    lab.node2.run("rm /etc/pve/nodes/node/qemu-server/done; mv /etc/pve/nodes/node/qemu-server/*.usb.conf /etc/pve/qemu-server/")
    assert "usb" not in lab.node.run("ls /etc/pve/local/qemu-server")


def test_a_running_guest_goes_to_the_other_node_and_home_again(lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    before = vm.guest.run("cat /proc/sys/kernel/random/boot_id")
    print(vm.migrate(lab.node2))
    assert vm.guest.run("cat /proc/sys/kernel/random/boot_id") == before
    assert lab.node.run("qm list").split() == ["101", "guest101", "stopped"]
    assert lab.node2.run("qm list").split() == ["100", "guest100", "running"]
    assert "lock" not in lab.node2.run("qm config 100")
    print(vm.migrate(lab.node))
    assert vm.guest.run("cat /proc/sys/kernel/random/boot_id") == before
