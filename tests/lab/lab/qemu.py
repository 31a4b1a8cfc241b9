"""The QEMU command line of a machine."""

ROLES = {
    # memory in MiB; the node runs nested guests, and the Pi is a small computer.
    "pi": {"memory": 768, "cpus": 1, "id": 2},
    "node": {"memory": 2560, "cpus": 2, "id": 1},
}

KERNEL_OPTIONS = "console=ttyS0 root=/dev/vda rw quiet nokaslr mitigations=off audit=0 net.ifnames=0 tsc=reliable"


def command_line(role, images, disk, run, ssh_port, accelerator):
    """`run` is the folder of this machine's sockets and logs; the cable's socket lies beside it."""
    traits = ROLES[role]
    number = traits["id"]
    cable = f"server={'on' if role == 'node' else 'off'},addr.type=unix,addr.path={run.parent}/cable"
    return [
        "qemu-system-x86_64", "-name", f"longcord-lab-{role}", "-nodefaults", "-display", "none",
        "-machine", "pc,usb=off", *accelerator, "-m", str(traits["memory"]), "-smp", str(traits["cpus"]),
        "-kernel", str(images.kernel), "-initrd", str(images.boot),
        "-append", f"{KERNEL_OPTIONS} lab.role={role} systemd.machine_id={number:032x}",
        "-drive", f"if=none,id=disk,format=qcow2,cache=unsafe,file={disk}",
        "-device", "virtio-blk-pci,drive=disk",
        "-netdev", f"user,id=control,restrict=on,hostfwd=tcp:127.0.0.1:{ssh_port}-:22",
        "-device", f"virtio-net-pci,netdev=control,mac=52:54:00:00:0{number}:00,romfile=",
        # The cable goes through a QEMU hub, so that setting its link down is silent: neither NIC loses its carrier.
        "-netdev", f"stream,id=cable,{cable}", "-netdev", "hubport,id=cable-end,hubid=0,netdev=cable",
        "-netdev", "hubport,id=socket,hubid=0",
        "-device", f"virtio-net-pci,netdev=socket,mac=52:54:00:00:0{number}:01,romfile=",
        # Local USB: a controller, a hub on its port 1 and a hub on port 2 of that hub.
        "-device", "qemu-xhci,id=xhci,p2=8,p3=8",
        "-device", "usb-hub,id=hub,bus=xhci.0,port=1", "-device", "usb-hub,id=hub2,bus=xhci.0,port=1.2",
        "-serial", f"file:{run}/console.log", "-qmp", f"unix:{run}/qmp,server=on,wait=off",
    ]
