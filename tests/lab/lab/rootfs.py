"""Makes the machines' Debian: mmdebstrap, with the package sources this development machine uses itself."""

import shutil
import subprocess

from lab import paths

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


ARM64_RELEASE = "trixie"  # as Raspberry Pi OS


def build(tree):
    """Debian with the packages of image/packages in the folder `tree`, which must not exist yet."""
    make(tree, "image/packages", *debian_sources())


def build_arm64(tree):
    """The same for a Pi of its own architecture: image/arm64.packages, whose scripts are run by qemu-user."""
    make(tree, "image/arm64.packages", *debian_sources(ARM64_RELEASE),
         ["/usr/bin/python3", "-B", paths.LAB / "lab/foreign.py"], "--architectures=arm64")


def make(tree, listed, suite, sources, through=(), *more):
    packages = (paths.LAB / listed).read_text().split()
    options = [
        "--mode=root", "--variant=minbase", "--quiet", *more,
        f"--include={','.join(packages)}",
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--aptopt={line}" for line in proxy_settings()),
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude=/usr/share/{junk}/*" for junk in ("man", "doc", "locale", "info")),
        # The initrd that the kernel package insists on is thrown away: let it at least be quick.
        "--essential-hook=mkdir -p $1/etc/initramfs-tools/conf.d",
        "--essential-hook=printf 'MODULES=list\\nCOMPRESS=gzip\\n' > $1/etc/initramfs-tools/conf.d/lab",
    ]
    try:
        subprocess.run([*through, "mmdebstrap", *options, suite, tree, "-"], input=sources, text=True, check=True)
    except BaseException:
        shutil.rmtree(tree, ignore_errors=True)
        raise


def debian_sources(release=None, security=True):
    """This machine's release, and its Debian sources as sources.list lines; or those of another release."""
    listed = apt("indextargets", "Origin: Debian", "Identifier: Packages",
                 "--format", f"deb [signed-by={KEYRING}] $(REPO_URI) $(RELEASE) $(COMPONENT)")
    if not listed:
        raise RuntimeError("apt knows no Debian source: run apt-get update first")
    own = min((line.split()[3] for line in listed), key=len)
    lines = set()
    for line in listed:
        kind, signed_by, uri, suite, *components = line.split()
        if security or not suite.endswith("-security"):
            lines.add(" ".join([kind, signed_by, uri, suite.replace(own, release or own), *components]))
    return release or own, "\n".join(sorted(lines)) + "\n"


def proxy_settings():
    dump = subprocess.run(["apt-config", "dump"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line for line in dump.splitlines() if line.startswith("Acquire::http") and "roxy" in line]


def apt(*arguments):
    return subprocess.run(["apt-get", *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
