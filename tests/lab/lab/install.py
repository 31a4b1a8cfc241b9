"""Brings Longcord into the machines: the trees `cmake --install` made, and the keys that pairing will make later.

A tree is what `DESTDIR=<stage>/host cmake --install build/release --component host` gives (and component pi).
The product's owner finalises this file.
"""

from lab import pi
from lab.progress import step

# What a package's maintainer script would do, on both machines.
ADOPT = """set -e
systemd-sysusers
systemd-tmpfiles --create 2>/dev/null || true
systemctl daemon-reload
udevadm control --reload
systemctl restart systemd-modules-load
udevadm trigger --action=change --subsystem-match=usb
udevadm settle
"""

NODE_KEYS = """set -e
# The node's own buses keep their numbers when it reboots: vhci's come after them.
echo xhci-pci >/etc/modules-load.d/00-lab.conf
install -d -m 755 /etc/longcord
install -d -m 700 /etc/longcord/pis
install -d -m 755 /var/lib/vz/snippets
[ ! -e /usr/share/longcord/longcord-hookscript ] ||
    install -m 755 /usr/share/longcord/longcord-hookscript /var/lib/vz/snippets/longcord-hookscript
systemctl restart ssh
"""

PI_KEYS = """set -e
install -d -m 755 /etc/longcord
[ -e /etc/longcord/id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -C workbench -f /etc/longcord/id_ed25519
cat /etc/longcord/id_ed25519.pub
"""

HOOKSCRIPT = "local:snippets/longcord-hookscript"
SERVICES = {"host": ["longcord-host"], "pi": ["longcord-pi"]}


def install(lab, host_tree, pi_tree, host_yaml="", pi_yaml="", start=True):
    """Installs (or installs anew) and starts the services; with start=False they are left stopped."""
    with step("installing Longcord in the machines"):
        lab.pi.stop_usbipd()  # the bench's own scenarios use it; port 3240 is ours from here on
        for node in lab.nodes():
            bring(node, host_tree, SERVICES["host"])
            install_node(node, host_yaml)
        bring(lab.pi, pi_tree, SERVICES["pi"])
        if pi_yaml:
            lab.pi.put(pi_yaml, "/etc/longcord/pi.yaml")
        introduce(lab)
        if start:
            for node in lab.nodes():
                run_services(node, SERVICES["host"])
            run_services(lab.pi, SERVICES["pi"])
        lab.product = True


def bring(machine, tree, services):
    machine.run(f"systemctl stop {' '.join(services)} 2>/dev/null; true")
    machine.ssh.put_tree(tree)
    machine.run(ADOPT)


def install_node(node, host_yaml):
    if host_yaml:
        node.put(host_yaml, "/etc/longcord/host.yaml")
    node.run(NODE_KEYS)


def introduce(lab, machine=None, name=pi.NAME):
    """What pairing leaves behind: every node knows the Pi's key, and the Pi every node's."""
    machine = machine or lab.pi
    public = machine.run(PI_KEYS)
    known = ""
    for node in lab.nodes():
        node.put(public, f"/etc/longcord/pis/{name}", mode="600")
        host_key = node.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
        known += f"{node.role},{node.address} {' '.join(host_key)}\n"
    machine.put(known, "/etc/longcord/known_hosts")


def run_services(machine, services):
    machine.run(["systemctl", "reset-failed"])
    machine.run(["systemctl", "enable", "--quiet", *services])
    machine.run(["systemctl", "restart", *services])
    machine.run("sync")  # what is installed survives a power cut


def add_node(lab, node, host_tree, host_yaml, pi_yaml):
    """Longcord on one more node, and the Pi links with that one too."""
    with step(f"installing Longcord on {node.role}"):
        bring(node, host_tree, SERVICES["host"])
        install_node(node, host_yaml)
        introduce(lab)
        run_services(node, SERVICES["host"])
        tell_pi(lab, pi_yaml)


def add_pi(lab, node, name, pi_tree, pi_yaml):
    """Longcord's other half on a node: it is a Pi of that name too, for its own ports."""
    with step(f"making {node.role} the Pi {name}"):
        node.run(f"systemctl unmask --quiet {' '.join(SERVICES['pi'])}")
        bring(node, pi_tree, SERVICES["pi"])
        node.put(pi_yaml, "/etc/longcord/pi.yaml")
        introduce(lab, node, name)
        run_services(node, SERVICES["pi"])


def remove_pi(node, name, lab):
    """Masked, since the next device would start it; and the command line sees only the host's service again."""
    node.run(f"systemctl mask --now --quiet {' '.join(SERVICES['pi'])}; rm -f /run/longcord/pi.sock")
    for other in lab.nodes():
        other.run(["rm", "-f", f"/etc/longcord/pis/{name}"])


def tell_pi(lab, pi_yaml):
    """New settings for the Pi's service."""
    lab.pi.put(pi_yaml, "/etc/longcord/pi.yaml")
    run_services(lab.pi, ["longcord-pi"])


def uninstall(lab, host_tree, pi_tree):
    """Takes the same files out again and leaves the machines as they were, as far as that matters here."""
    sides = [(node, host_tree, SERVICES["host"]) for node in lab.nodes()] + [(lab.pi, pi_tree, SERVICES["pi"])]
    for machine, tree, services in sides:
        remove(machine, tree, services)
        machine.run("rm -rf /etc/longcord")
    lab.product = False


def remove(machine, tree, services):
    machine.run(f"systemctl disable --quiet --now {' '.join(services)} 2>/dev/null; true")
    files = [f"/{file.relative_to(tree)}" for file in tree.rglob("*") if not file.is_dir()]
    machine.run("xargs -d '\\n' rm -f", input="\n".join(files))
    machine.run("systemctl daemon-reload; udevadm control --reload")
