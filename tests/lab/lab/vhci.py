# SPDX-License-Identifier: MIT
"""The node's vhci controllers: Debian's kernels have eight of them, those of Proxmox one (CONFIG_USBIP_VHCI_NR_HCS)."""

import contextlib

OTHERS = """for hcd in /sys/devices/platform/vhci_hcd.[1-9]*; do
    echo ${{hcd##*/}} >/sys/bus/platform/drivers/vhci_hcd/{verb}
done
udevadm settle"""


@contextlib.contextmanager
def only_the_first(node):
    """The others keep their rows in vhci's table, which say that they are not ready."""
    node.run(OTHERS.format(verb="unbind"))
    try:
        yield
    finally:
        node.run(OTHERS.format(verb="bind"))
