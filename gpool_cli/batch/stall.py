"""Whether a worker is stuck: seen from outside, by its pulse and by what the system says of it.

A library that runs in circles burns time of the processor; a process that is stopped, or waits for
what never comes, shows nothing at all. A slow disk and a crowded machine are neither: there a
worker reads on, or gets few of the processor's seconds, however long it takes on the clock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from gpool_cli import pulse

# So many times as long as for a block may be worked on a listing of millions, or a library loaded.
_OWN_WORK = 6

# Headers are kilobytes: what takes longer than this share of the time for a block runs in circles.
_HEADERS = 1 / 3

# Bytes a second that a very slow disk gives.
_SLOWEST = 5e6

# A machine that stands still itself for seconds has not let the worker go on.
_LONGEST_STEP = 0.5


class StallWatch:
    """Looks at a worker a few times a second.

    Args:
        cells: Its pulse.
        pid: Its process.
        timeout: How long it may be without progress on a block, in seconds.
    """

    def __init__(self, cells: Sequence[int], pid: int, timeout: float) -> None:
        self._cells, self._pid, self._timeout = cells, pid, timeout
        self._beat: tuple[int, int] | None = None
        self._signs: tuple[float, int] | None = None
        self._burned_before = self._still = 0.0
        self._clock = 0.0
        self._before = time.monotonic()

    def is_stuck(self, at_work: bool) -> bool:
        """Look at it.

        Args:
            at_work: It has something to do.
        """
        step = min(time.monotonic() - self._before, _LONGEST_STEP)
        self._before = time.monotonic()
        self._clock += step
        doing = self._cells[pulse.DOING]
        beat, signs = (self._cells[pulse.BEATS], doing), self._look()
        if beat != self._beat or not at_work:
            self._beat, self._burned_before, self._still = beat, signs[0], 0.0
        elif signs != self._signs:
            self._still = 0.0
        else:
            self._still += step
        self._signs = signs
        burned = signs[0] - self._burned_before
        return burned > self._most_burned(doing) or self._still > self._most_still(doing)

    def _most_burned(self, doing: int) -> float:
        """For how many seconds it may work without a beat.

        gpool's own work ends by itself; but a process can be stopped from outside.
        """
        if doing == pulse.HEADERS:
            return self._timeout * _HEADERS
        return self._most_still(doing)

    def _most_still(self, doing: int) -> float:
        """For how many seconds it may show no sign of life."""
        if doing == pulse.OWN_WORK:
            return self._timeout * _OWN_WORK
        if doing == pulse.BLOCK:
            return self._timeout + self._cells[pulse.BYTES] / _SLOWEST
        return self._timeout

    def _look(self) -> tuple[float, int]:
        """The seconds of the processor that it has had, and how often it has read.

        Where the system does not say, it may have had all of them.
        """
        try:
            with open(f"/proc/{self._pid}/stat") as file:
                words = file.read().rpartition(")")[2].split()
            ticks = int(words[11]) + int(words[12])  # utime and stime
        except (OSError, ValueError, IndexError):
            return self._clock, 0
        return ticks / os.sysconf("SC_CLK_TCK"), self._reads()

    def _reads(self) -> int:
        """How often it has asked for data; 0 where the system does not tell."""
        try:
            with open(f"/proc/{self._pid}/io") as file:
                return next(int(line.split()[1]) for line in file if line.startswith("syscr"))
        except (OSError, ValueError, StopIteration):
            return 0
