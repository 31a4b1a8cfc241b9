"""Progress lines on stderr, so that nobody has to wonder what a silent minute is spent on."""

import contextlib
import sys
import time


def say(text):
    print(f"lab: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(what):
    """Says what starts, and how long it took (or that it failed)."""
    say(f"{what} ...")
    started = time.monotonic()
    try:
        yield
    except BaseException:
        say(f"{what}: failed after {time.monotonic() - started:.1f} s")
        raise
    say(f"{what}: {time.monotonic() - started:.1f} s")
