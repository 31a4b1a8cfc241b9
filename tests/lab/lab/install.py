"""Brings Longcord into the machines: the trees `cmake --install` made, and the keys that pairing will make later.

A tree is what `DESTDIR=<stage>/host cmake --install build/release --component host` gives (and component pi).
The product's owner finalises this file.
"""

from lab import node, pi
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
SERVICES = {"node": ["longcord-host"], "pi": ["longcord-usbipd", "longcord-pi"]}


def install(lab, host_tree, pi_tree, host_yaml="", pi_yaml="", start=True):
    """Installs (or installs anew) and starts the services; with start=False they are left stopped."""
    with step("installing Longcord in the machines"):
        for machine, tree, config, text in ((lab.node, host_tree, "host.yaml", host_yaml),
                                            (lab.pi, pi_tree, "pi.yaml", pi_yaml)):
            machine.run(f"systemctl stop {' '.join(SERVICES[machine.role])} 2>/dev/null; true")
            machine.ssh.put_tree(tree)
            machine.run(ADOPT)
            if text:
                machine.put(text, f"/etc/longcord/{config}")
        lab.node.run(NODE_KEYS)
        public = lab.pi.run(PI_KEYS)
        lab.node.put(public, f"/etc/longcord/pis/{pi.NAME}", mode="600")
        host_key = lab.node.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
        lab.pi.put(f"{node.NAME},10.77.0.1 {' '.join(host_key)}\n", "/etc/longcord/known_hosts")
        if start:
            for machine in lab.machines:
                machine.run(["systemctl", "reset-failed"])
                machine.run(["systemctl", "enable", "--quiet", *SERVICES[machine.role]])
                machine.run(["systemctl", "restart", *SERVICES[machine.role]])
        lab.product = True


def uninstall(lab, host_tree, pi_tree):
    """Takes the same files out again and leaves the machines as they were, as far as that matters here."""
    for machine, tree in ((lab.node, host_tree), (lab.pi, pi_tree)):
        machine.run(f"systemctl stop {' '.join(SERVICES[machine.role])} 2>/dev/null; true")
        files = [f"/{file.relative_to(tree)}" for file in tree.rglob("*") if not file.is_dir()]
        machine.run("xargs -d '\\n' rm -f", input="\n".join(files))
        machine.run("systemctl daemon-reload; udevadm control --reload; rm -rf /etc/longcord")
    lab.product = False
