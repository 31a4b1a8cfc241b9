"""Where things are. Nothing the lab makes ever lies in the repository, except artefacts below build/."""

import os
from pathlib import Path

LAB = Path(__file__).resolve().parent.parent
REPOSITORY = LAB.parent.parent
ARTIFACTS = REPOSITORY / "build" / "lab-artifacts"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "longcord-lab"

# The one lab that `up` (or LONGCORD_LAB_KEEP=1) leaves running, and the lock that serialises its users.
STATE = CACHE / "running.json"
LOCK = CACHE / "running.lock"

# Where tests/stage lays the product out as it is installed: build/stage/{host,pi}.
STAGE = REPOSITORY / "build" / "stage"
