"""What an image is made of, as one hash: change the recipe and the next run builds anew."""

import hashlib

from lab import paths


def key(*names):
    """Hash over the files (and folders of files) of tests/lab with these names."""
    digest = hashlib.sha256()
    for name in names:
        top = paths.LAB / name
        for file in sorted(path for path in [top, *top.rglob("*")] if path.is_file()):
            digest.update(f"{file.relative_to(paths.LAB)} {file.stat().st_mode & 0o111}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
