"""Longcord in the lab's machines, as an admin uses it: its services, its command line. What a scenario
believes comes from the guest and the kernels; this is for waiting and for what is shown to people."""

import json

from lab.wait import wait

HOST_YAML = "log_level: debug\n"
SERVE_THE_LAB = "usbip:\n  allow: [ 10.77.0.0/24 ]\n"  # pi.yaml: stock clients of the lab's network are served


def pi_yaml(*nodes, name="workbench"):
    return f"log_level: debug\nname: {name}\nnodes:\n" + "".join(f"  - {node.address}\n" for node in nodes)


class Longcord:
    def __init__(self, lab, node=None):
        """As seen from `node`."""
        self.lab = lab
        self.pi = lab.pi
        self.node = node or lab.node

    def cli(self, *words, machine=None):
        """The JSON that a verb prints; exit status 5 says that something in it is not as it should be."""
        both = words[0] in ("devices", "events", "status")  # a node may be a Pi too
        which = ["--on", "host"] if both and not machine else []
        done = (machine or self.node).run(["longcord", *words, *which, "--json"], check=False)
        if done.returncode not in (0, 5):
            raise LookupError(f"longcord {' '.join(words)}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def pis(self):
        return {pi["name"]: pi for pi in self.cli("status")["pis"]}

    def device(self, place):
        """The device's line of `longcord devices`; None where nothing is known of the place."""
        for device in self.cli("devices")["devices"]:
            if device["place"] == place:
                return device
        return None

    def pi_device(self, busid):
        """The device's line of `longcord devices` on the Pi."""
        for device in self.cli("devices", machine=self.pi)["devices"]:
            if device["place"] == busid:
                return device
        raise LookupError(f"the Pi has nothing at {busid}")

    def wait_linked(self, name="workbench", timeout=120):
        def linked():
            pis = self.cli("status")["pis"]
            if any(pi["name"] == name and pi["linked"] and not pi["problem"] for pi in pis):
                return True
            raise LookupError(f"longcord status says {pis}")
        wait(linked, timeout, "the Pi's link")

    def wait_state(self, place, state, timeout=60):
        def there():
            device = self.device(place)
            if device and device["state"] == state:
                return device
            raise LookupError(f"{place} is {device}")
        return wait(there, timeout, f"{place} to be {state}")

    def allow(self, gadget):
        """A device that is not exported by default, as its owner says it on the Pi."""
        self.pi.wait_for_device(gadget)
        self.pi.run(["longcord", "mode", self.pi.busid(gadget), "usbip"])

    def longest_hold(self):
        """Seconds that longcord-host held a QMP socket at most, as it says itself."""
        metrics = self.node.run(["longcord", "metrics"])
        return max(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith("longcord_qmp_hold_longest_seconds "))

    def events(self, since=0):
        return [event for event in self.cli("events")["events"] if event["seq"] > since]

    def last_event(self):
        events = self.events()
        return events[-1]["seq"] if events else 0

    def service_pid(self, machine, name):
        return int(machine.run(f"systemctl show -p MainPID --value {name}"))
