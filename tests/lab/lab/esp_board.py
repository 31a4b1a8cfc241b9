"""An ESP board behind a CP2102 for the Pi, played in user space (onboard/lab-esp-board): Debian's cp210x drives it,
it follows DTR, RTS and the rate, and has a loader that can be flashed."""

import json
from dataclasses import dataclass

from lab.wait import wait


@dataclass
class EspBoard:
    """Goes into a socket like a Gadget: lab.pi.plug(board), .unplug(board), .replug(board)."""
    name: str = "esp"
    serial: str = "0001"
    socket: int = 0
    ids = "10c4:ea60"

    @property
    def home(self):
        return f"/run/lab-esp/{self.name}"

    @property
    def device(self):
        """The same name each time it is plugged, whichever ttyUSB it becomes."""
        return f"/dev/serial/by-id/usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_{self.serial}-if00-port0"

    def plug_script(self):
        return f"""set -e
gadget=/sys/kernel/config/usb_gadget/{self.name}
if [ -e {self.home}/state ]; then
    echo dummy_udc.{self.socket} >$gadget/UDC
else
    modprobe usb_f_fs
    systemd-run --quiet --collect --unit=lab-esp-{self.name} lab-esp-board {self.name} dummy_udc.{self.socket} {self.serial}
    for i in $(seq 600); do [ -s $gadget/UDC ] && [ -n "$(cat $gadget/UDC)" ] && break; sleep 0.1; done
    [ -n "$(cat $gadget/UDC)" ]
fi
"""

    def unplug_script(self):
        return f"rm -f /var/lib/lab/plugged/{self.name}; echo >/sys/kernel/config/usb_gadget/{self.name}/UDC"

    # -- what became of it; `pi` is lab.pi -----------------------------------------------------------------------

    def state(self, pi):
        return json.loads(pi.read(f"{self.home}/state"))

    def wait_state(self, pi, timeout=60, **wanted):
        def there():
            state = self.state(pi)
            if all(state[key] == value for key, value in wanted.items()):
                return state
            raise LookupError(f"the board is {state}")
        return wait(there, timeout, f"the board to be {wanted}")

    def lines(self, pi):
        """[(seconds, dtr, rts)] of every change that its chip's pins have seen."""
        rows = (line.split() for line in pi.run(f"cat {self.home}/lines 2>/dev/null; true").splitlines())
        return [(int(ns) / 1e9, dtr == "1", rts == "1") for ns, dtr, rts in rows]

    def flash(self, pi, offset, size):
        return bytes.fromhex(pi.run(f"od -An -v -tx1 -j{offset} -N{size} {self.home}/flash"))
