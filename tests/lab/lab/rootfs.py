"""Makes the machines' Debian: mmdebstrap, with the package sources this development machine uses itself."""

import shutil
import subprocess

from lab import paths

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def build(tree):
    """Debian with the packages of image/packages in the folder `tree`, which must not exist yet."""
    packages = (paths.LAB / "image/packages").read_text().split()
    options = [
        "--mode=root", "--variant=minbase", "--quiet",
        f"--include={','.join(packages)}",
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--aptopt={line}" for line in proxy_settings()),
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude=/usr/share/{junk}/*" for junk in ("man", "doc", "locale", "info")),
        # The initrd that the kernel package insists on is thrown away: let it at least be quick.
        "--essential-hook=mkdir -p $1/etc/initramfs-tools/conf.d",
        "--essential-hook=printf 'MODULES=list\\nCOMPRESS=gzip\\n' > $1/etc/initramfs-tools/conf.d/lab",
    ]
    suite, sources = debian_sources()
    try:
        subprocess.run(["mmdebstrap", *options, suite, tree, "-"], input=sources, text=True, check=True)
    except BaseException:
        shutil.rmtree(tree, ignore_errors=True)
        raise


def debian_sources():
    """This machine's release, and its Debian sources as sources.list lines."""
    listed = apt("indextargets", "Origin: Debian", "Identifier: Packages",
                 "--format", f"deb [signed-by={KEYRING}] $(REPO_URI) $(RELEASE) $(COMPONENT)")
    if not listed:
        raise RuntimeError("apt knows no Debian source: run apt-get update first")
    suites = [line.split()[3] for line in listed]
    return min(suites, key=len), "\n".join(sorted(set(listed))) + "\n"


def proxy_settings():
    dump = subprocess.run(["apt-config", "dump"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line for line in dump.splitlines() if line.startswith("Acquire::http") and "roxy" in line]


def apt(*arguments):
    return subprocess.run(["apt-get", *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
