"""The QEMU command line of a machine."""

ROLES = {
    # memory in MiB; the nodes run nested guests, and the Pi is a small computer.
    "pi": {"memory": 768, "cpus": 1, "id": 2},
    "node": {"memory": 2560, "cpus": 2, "id": 1},
    "node2": {"memory": 1536, "cpus": 2, "id": 3},
    # Further Pis, each on a cable of its own to the node (further_pis.py).
    **{f"pi{number}": {"memory": 768, "cpus": 1, "id": number + 2, "as": "pi"} for number in (2, 3, 4)},
}

# What a machine is. An arm64 one is slow, however this machine emulates it.
PC = {"program": "qemu-system-x86_64", "console": "ttyS0", "options": ["-machine", "pc,usb=off"]}
ARM64 = {"program": "qemu-system-aarch64", "console": "ttyAMA0",
         "options": ["-machine", "virt", "-device", "virtio-rng-pci"]}

KERNEL_OPTIONS = "root=/dev/vda rw quiet nokaslr mitigations=off audit=0 net.ifnames=0 tsc=reliable"


def command_line(role, images, disk, run, ssh_port, accelerator, hardware=PC):
    """`run` is the folder of this machine's sockets and logs; the cables' sockets and /etc/pve lie beside it."""
    traits = ROLES[role]
    number = traits["id"]
    kind = traits.get("as", role)
    return [
        hardware["program"], "-name", f"longcord-lab-{role}", "-nodefaults", "-display", "none",
        *hardware["options"], *accelerator, "-m", str(traits["memory"]), "-smp", str(traits["cpus"]),
        "-kernel", str(images.kernel), "-initrd", str(images.boot),
        "-append", f"console={hardware['console']} {KERNEL_OPTIONS} lab.role={kind} systemd.machine_id={number:032x}",
        "-drive", f"if=none,id=disk,format=qcow2,cache=unsafe,file={disk}",
        "-device", "virtio-blk-pci,drive=disk",
        "-netdev", f"user,id=control,restrict=on,hostfwd=tcp:127.0.0.1:{ssh_port}-:22",
        "-device", f"virtio-net-pci,netdev=control,mac=52:54:00:00:0{number}:00,romfile=",
        *(cables(role, run.parent) if role in ORDER else one_cable(role, run.parent)),
        *(shared_pve(role, run.parent) if kind != "pi" else []),
        # Local USB: a controller, a hub on its port 1 and a hub on port 2 of that hub.
        "-device", "qemu-xhci,id=xhci,p2=8,p3=8",
        "-device", "usb-hub,id=hub,bus=xhci.0,port=1", "-device", "usb-hub,id=hub2,bus=xhci.0,port=1.2",
        "-serial", f"file:{run}/console.log", "-qmp", f"unix:{run}/qmp,server=on,wait=off",
    ]


def cables(role, run):
    """A cable to each of the others, so that any one can be cut by itself. The machine that boots first listens."""
    order = list(ORDER)
    options = []
    for position, peer in enumerate(other for other in order if other != role):
        listens = order.index(role) < order.index(peer)
        ends = "-".join(sorted((role, peer), key=order.index))
        number = ROLES[role]["id"]
        options += [
            "-netdev", f"stream,id=cable-{peer},server={'on' if listens else 'off'},addr.type=unix,addr.path={run}/{ends}",
            # It goes through a QEMU hub, so that setting its link down is silent: neither NIC loses its carrier.
            "-netdev", f"hubport,id=end-{peer},hubid={position},netdev=cable-{peer}",
            "-netdev", f"hubport,id=socket-{peer},hubid={position}",
            "-device", f"virtio-net-pci,netdev=socket-{peer},mac=52:54:00:00:0{number}:0{position + 1},romfile=",
        ]
    return options


def one_cable(role, run):
    """To the node, which has been given its end; the second network card, which a Pi has, leads nowhere."""
    number = ROLES[role]["id"]
    return ["-netdev", f"stream,id=cable,server=off,addr.type=unix,addr.path={run}/node-{role}", "-netdev", "hubport,id=none,hubid=0",
            *(word for position, end in enumerate(("cable", "none"), 1)
              for word in ("-device", f"virtio-net-pci,netdev={end},mac=52:54:00:00:0{number}:0{position},romfile="))]


ORDER = ("node", "pi", "node2")  # of booting, and so of eth1, eth2 in each machine


def shared_pve(role, run):
    """What pmxcfs replicates, from a folder here (pve.py)."""
    memory = f"memory-backend-memfd,id=ram,size={ROLES[role]['memory']}M,share=on"  # the file server answers into it
    return ["-object", memory, "-machine", "memory-backend=ram", "-chardev", f"socket,id=pve,path={run}/{role}/pve",
            "-device", "vhost-user-fs-pci,chardev=pve,tag=pve"]
