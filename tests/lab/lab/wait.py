"""Waiting for conditions, never for durations: time under emulation is slow and uneven."""

import time


class Timeout(AssertionError):
    """A condition that did not come true in time; says which, and what was seen last."""


def wait(condition, timeout=60, what=None, every=0.2):
    """Returns the first true value of `condition()`; an exception in it counts as "not yet"."""
    what = what or getattr(condition, "__doc__", None) or "a condition"
    started = time.monotonic()
    while True:
        try:
            seen = condition()
            if seen:
                return seen
        except Timeout:
            raise
        except Exception as error:  # the thing asked may just not be there yet
            seen = error
        if time.monotonic() - started > timeout:
            raise Timeout(f"waited {timeout:.0f} s for {what}; last seen: {seen!r}")
        time.sleep(every)
