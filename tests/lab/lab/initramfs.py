"""Writes small initramfs archives: busybox, a script as /init, and kernel modules with what they need.

Uncompressed, because unpacking is done by an emulated (in the guest a twice emulated) CPU.
"""

import lzma
import subprocess
from pathlib import Path


class Archive:
    """A cpio archive in the kernel's newc format."""

    def __init__(self):
        self.parts = []
        self.names = set()

    def add(self, name, data=b"", mode=0o100755):
        for parent in reversed(Path(name).parents):
            if str(parent) != "." and str(parent) not in self.names:
                self._entry(str(parent), b"", 0o040755)
        self._entry(name, data, mode)

    def link(self, name, target):
        self.add(name, target.encode(), 0o120777)

    def write(self, path):
        self._entry("TRAILER!!!", b"", 0)
        path.write_bytes(b"".join(self.parts))

    def _entry(self, name, data, mode):
        self.names.add(name)
        encoded = name.encode() + b"\0"
        fields = (len(self.parts), mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self.parts.append(padded(header + encoded) + padded(data))


def padded(data):
    return data + b"\0" * (-len(data) % 4)


def build(path, init, files, applets, modules, rootfs):
    """`files` maps names in the archive to sources; `modules` are module names, loaded by `init` itself."""
    archive = Archive()
    archive.add("init", init.read_bytes())
    archive.add("bin/busybox", (rootfs / "bin/busybox").read_bytes())
    for applet in applets:
        archive.link(f"bin/{applet}", "busybox")
    for name, source in files.items():
        archive.add(name, source.read_bytes())
    order = load_order(rootfs, modules)
    for position, module in enumerate(order):
        archive.add(f"modules/{position:02}-{module.name.split('.')[0]}.ko", unpacked(module), 0o100644)
    archive.write(path)


def load_order(rootfs, modules):
    """The files to insmod, in order: each module after everything it depends on."""
    tree = next((rootfs / "lib/modules").iterdir())
    depends = {}
    for line in (tree / "modules.dep").read_text().splitlines():
        file, _, needs = line.partition(":")
        depends[file] = needs.split()
    builtin = {Path(line).name.split(".")[0].replace("-", "_") for line in (tree / "modules.builtin").read_text().split()}
    by_name = {Path(file).name.split(".")[0].replace("-", "_"): file for file in depends}
    order = []
    for module in modules:
        if module in builtin:
            continue
        # modules.dep lists what is needed with the deepest last.
        for file in [*reversed(depends[by_name[module]]), by_name[module]]:
            if tree / file not in order:
                order.append(tree / file)
    return order


def unpacked(module):
    if module.suffix == ".xz":
        return lzma.decompress(module.read_bytes())
    if module.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", module], stdout=subprocess.PIPE, check=True).stdout
    return module.read_bytes()
