"""USB devices for the Pi: configfs gadgets on dummy_hcd, with any ids and texts, real plug and unplug."""

from dataclasses import dataclass

# A boot keyboard's report descriptor (USB HID 1.11, appendix B.1), without the LEDs.
KEYBOARD = "05010906a101050719e029e71500250175019508810295017508810195067508150025650507190029658100c0"

KINDS = {
    "acm": "mkdir functions/acm.{name}; ln -s functions/acm.{name} configs/c.1/",
    "mass_storage": """mkdir functions/mass_storage.{name}
[ -e /var/lib/lab/{name}.disk ] || head -c {size} /dev/urandom >/var/lib/lab/{name}.disk
echo /var/lib/lab/{name}.disk >functions/mass_storage.{name}/lun.0/file
ln -s functions/mass_storage.{name} configs/c.1/""",
    "ecm": "mkdir functions/ecm.{name}; ln -s functions/ecm.{name} configs/c.1/",
    # A serial line in the first configuration, a disk in the second.
    "two_configurations": """mkdir functions/acm.{name} functions/mass_storage.{name}
mkdir -p configs/d.2/strings/0x409
[ -e /var/lib/lab/{name}.disk ] || head -c {size} /dev/urandom >/var/lib/lab/{name}.disk
echo /var/lib/lab/{name}.disk >functions/mass_storage.{name}/lun.0/file
ln -s functions/acm.{name} configs/c.1/
ln -s functions/mass_storage.{name} configs/d.2/""",
    "hid": """mkdir functions/hid.{name}
cd functions/hid.{name}; echo 1 >protocol; echo 1 >subclass; echo 8 >report_length
printf '{descriptor}' >report_desc; cd ../..
ln -s functions/hid.{name} configs/c.1/""",
}


@dataclass
class Gadget:
    """A device that can be plugged into socket 0..7 of the Pi; sockets are roots of buses of their own."""
    name: str = "board"
    kind: str = "acm"            # acm | mass_storage | hid | ecm | two_configurations
    vendor: int = 0x1A86
    product: int = 0x55D4
    serial: str = "0001"
    text: str = "USB Single Serial"
    socket: int = 0
    size: int = 1 << 23          # of a mass_storage

    @property
    def ids(self):
        return f"{self.vendor:04x}:{self.product:04x}"

    def plug_script(self):
        """Makes the gadget where it does not exist yet, and plugs it in."""
        function = KINDS[self.kind].format(
            name=self.name, size=self.size,
            descriptor="".join(f"\\{byte:03o}" for byte in bytes.fromhex(KEYBOARD)))
        serial = f"echo '{self.serial}' >strings/0x409/serialnumber" if self.serial else ""
        return f"""set -e
gadget=/sys/kernel/config/usb_gadget/{self.name}
if [ ! -e $gadget ]; then
mkdir -p $gadget/strings/0x409 $gadget/configs/c.1/strings/0x409
cd $gadget
echo 0x{self.vendor:04x} >idVendor
echo 0x{self.product:04x} >idProduct
echo 0x0100 >bcdDevice
echo Lab >strings/0x409/manufacturer
echo '{self.text}' >strings/0x409/product
{serial}
{function}
fi
echo dummy_udc.{self.socket} >$gadget/UDC
"""

    def unplug_script(self):
        return f"rm -f /var/lib/lab/plugged/{self.name}; echo >/sys/kernel/config/usb_gadget/{self.name}/UDC"


# Takes every gadget out and apart; configfs wants that done piece by piece and from the leaves up.
REMOVE_ALL = """systemctl stop 'lab-esp-*' 'lab-serial*' 2>/dev/null
umount /run/lab-ffs/* 2>/dev/null
rm -rf /run/lab-ffs /run/lab-esp
cd /sys/kernel/config/usb_gadget || exit 0
rm -f /var/lib/lab/plugged/*
for gadget in *; do
    [ -d "$gadget" ] || continue
    [ -z "$(cat "$gadget/UDC")" ] || echo >"$gadget/UDC"
    find "$gadget/configs" -type l -delete
    rmdir "$gadget"/configs/*/strings/* "$gadget"/configs/* "$gadget"/functions/* "$gadget"/strings/* "$gadget"
done 2>&1
rm -f /var/lib/lab/*.disk
"""
