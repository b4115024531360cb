"""Waiting for what another process does: always by looking, never by sleeping blindly, and never for ever."""

import time

GLANCE = 0.02


class TooLate(AssertionError):
    pass


def until(look, what, within=15.0):
    """The first true value that look() returns; TooLate after `within` seconds, saying what was waited for."""
    end = time.monotonic() + within
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise TooLate(f"waited {within} s for {what}; last seen: {seen!r}")
        time.sleep(GLANCE)


def stays(look, for_seconds, what):
    """look() gives the same value for the whole time: the proof that nothing happens."""
    first = look()
    end = time.monotonic() + for_seconds
    while time.monotonic() < end:
        time.sleep(GLANCE)
        now = look()
        assert now == first, f"{what} changed from {first!r} to {now!r}"
    return first
