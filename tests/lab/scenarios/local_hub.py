"""A port of the node itself, with a hub behind it and another behind that, passed through by prefix."""


def test_everything_below_the_hub_goes_in_and_nothing_beside_it(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    lab.node.plug_local("beside", "usb-kbd", port="2")
    lab.node.plug_local("adapter", "usb-serial", port="1.1")
    hub = lab.wait(lambda: place_of(lab.node, "0403:6001"), what="the node to see the adapter").rsplit(".", 1)[0]
    vm.write_rules(hub)
    vm.guest.wait_tty("ttyUSB0", "0403:6001")
    lab.node.plug_local("stick", "usb-storage", port="1.2.1")
    vm.guest.wait_disk("sda")
    assert sorted(vm.plugged()) == [f"usbhost{hub}.1", f"usbhost{hub}.2.1"]
    lab.node.unplug_local("adapter")
    vm.guest.wait_no_tty("ttyUSB0")
    lab.node.plug_local("adapter", "usb-serial", port="1.1")
    vm.guest.wait_tty("ttyUSB0", "0403:6001")


def test_a_hub_that_goes_takes_its_devices_along_and_brings_them_back(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    lab.node.plug_local("adapter", "usb-serial", port="1.1")
    lab.node.plug_local("stick", "usb-storage", port="1.2.1")
    hub = lab.wait(lambda: place_of(lab.node, "0403:6001"), what="the node to see the adapter").rsplit(".", 1)[0]
    vm.write_rules(hub)
    both = [f"usbhost{hub}.1", f"usbhost{hub}.2.1"]
    lab.wait(lambda: sorted(vm.plugged()) == both, what="both to be plugged")
    vm.guest.wait_tty("ttyUSB0", "0403:6001")
    vm.guest.wait_disk("sda")
    configuration = f"/sys/bus/usb/devices/{hub}/bConfigurationValue"
    lab.node.run(f"echo 0 >{configuration}")  # the hub below goes with all of its ports, as if this one were pulled
    try:
        vm.guest.wait_no_tty("ttyUSB0")
        vm.guest.wait_no_node("disk", "sda")
        lab.wait(lambda: not vm.plugged(), what="both to be out")
    finally:
        lab.node.run(f"echo 1 >{configuration}")
    vm.guest.wait_tty("ttyUSB0", "0403:6001")
    vm.guest.wait_disk(None)
    lab.wait(lambda: sorted(vm.plugged()) == both, what="both to be plugged again")


def place_of(node, ids):
    """The kernel's name of the one device with these ids."""
    vendor, product = ids.split(":")
    return node.run(f"""cd /sys/bus/usb/devices; for d in [0-9]*-*; do case $d in *:*) continue;; esac
[ "$(cat $d/idVendor):$(cat $d/idProduct)" = {vendor}:{product} ] && echo $d; done; true""").strip()
