"""Unpacks Debian's vmlinuz into the ELF image inside.

QEMU boots such an ELF directly (PVH), which spares the emulated CPU the decompression: seconds on a machine,
tens of seconds in the nested guest.
"""

import lzma
import struct
import subprocess
import zlib

# Offsets of the boot protocol's setup header: Documentation/x86/boot.rst of the kernel.
SETUP_SECTS = 0x1F1
PAYLOAD_OFFSET = 0x248
PAYLOAD_LENGTH = 0x24C


def unpack(vmlinuz, vmlinux):
    image = vmlinuz.read_bytes()
    setup_size = (image[SETUP_SECTS] + 1) * 512
    offset, = struct.unpack_from("<I", image, PAYLOAD_OFFSET)
    length, = struct.unpack_from("<I", image, PAYLOAD_LENGTH)
    elf = decompress(image[setup_size + offset:setup_size + offset + length])
    if not elf.startswith(b"\x7fELF"):
        raise RuntimeError(f"{vmlinuz}: what is packed inside is no ELF image")
    vmlinux.write_bytes(elf)


def unpack_arm64(vmlinuz, image):
    """QEMU boots arm64's Image as it is; some packages have it compressed by gzip."""
    data = vmlinuz.read_bytes()
    image.write_bytes(decompress(data) if data.startswith(b"\x1f\x8b") else data)


def decompress(packed):
    # The last four bytes of the payload are the unpacked size, which the decompressors must not see as data.
    if packed.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(packed)
    if packed.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(wbits=31).decompress(packed)
    if packed.startswith(b"\x28\xb5\x2f\xfd"):
        return subprocess.run(["zstd", "-dcq"], input=packed[:-4], stdout=subprocess.PIPE, check=True).stdout
    raise RuntimeError(f"unknown kernel compression: {packed[:6].hex()}")
