"""How much of a run was done when, in few numbers however long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable

_FIRST_SECONDS = 1 / 16
_MOST_SLOTS = 128


class Pace:
    """Counts in slots of time, which become twice as long whenever there are too many.

    Args:
        now: A clock in seconds, which never goes back.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._started = now()
        self.seconds = _FIRST_SECONDS
        """How long a slot is."""
        self.maps: list[int] = []
        """How many maps were done in each slot."""
        self.bytes: list[int] = []
        """How many bytes they had."""

    def count(self, nbytes: int) -> None:
        """Count a map that is done now."""
        slot = int((self._now() - self._started) / self.seconds)
        while slot >= _MOST_SLOTS:
            self.seconds *= 2
            self.maps, self.bytes = _by_two(self.maps), _by_two(self.bytes)
            slot //= 2
        missing = [0] * (slot + 1 - len(self.maps))
        self.maps += missing
        self.bytes += missing
        self.maps[slot] += 1
        self.bytes[slot] += nbytes


def _by_two(numbers: list[int]) -> list[int]:
    return [sum(numbers[i : i + 2]) for i in range(0, len(numbers), 2)]
