"""The job of Longcord done by hand with stock tools, to prove the bench."""


def prepare(lab):
    lab.node.run("modprobe vhci-hcd")
    lab.pi.start_usbipd()


def put_into_guest(lab, gadget, vm, port):
    """Bind and export on the Pi, attach on the node, device_add in the VM; returns the id in QEMU."""
    busid = lab.pi.wait_for_device(gadget)
    before = imported(lab)
    lab.pi.run(f"usbip bind -b {busid}")
    lab.node.run(f"usbip attach -r workbench -b {busid}")
    node = lab.wait(lambda: next(iter(imported(lab) - before), None), what=f"{gadget.name} to enumerate on the node")
    lab.wait(lambda: lab.node.run(f"test -e {node} && echo there"), what=f"udev to make {node}")
    name = f"usbhost-workbench-{busid}"
    vm.qmp("device_add", driver="usb-host", hostdevice=node, id=name, bus="xhci.0", port=str(port))
    return name


def imported(lab):
    """/dev/bus/usb/... of the devices on vhci."""
    lines = lab.node.run("cd /sys/devices/platform/vhci_hcd.0; for d in usb*/*-*/devnum; do "
                         "[ ! -e $d ] || echo $(cat ${d%devnum}busnum $d); done")
    return {"/dev/bus/usb/{:03}/{:03}".format(*map(int, line.split())) for line in lines.splitlines()}


def clean_up(lab):
    lab.node.run("for port in $(usbip port 2>/dev/null | sed -n 's/^Port \\([0-9]*\\):.*/\\1/p'); do "
                 "usbip detach -p $port; done; true")
