"""The pulse of a worker: a sign of life in memory that the process which watches it shares.

The HDF5 library may run in circles on a damaged file, and nothing inside of a process stops it.
"""

from __future__ import annotations

from collections.abc import MutableSequence

# How many beats there were; which file of a unit is being worked on; whether blocks are being read.
BEATS, PLACE, READING = range(3)
CELLS = 3

_cells: MutableSequence[int] = [0] * CELLS


def share(cells: MutableSequence[int]) -> None:
    """Beat in memory that another process sees, from now on."""
    global _cells
    _cells = cells


def begin(place: int) -> None:
    """Say which file of a unit is next."""
    _cells[PLACE] = place
    look()


def look() -> None:
    """Say that headers are read now, which takes less patience than a block does."""
    _cells[READING] = 0
    _cells[BEATS] += 1


def beat() -> None:
    """Say that there was progress, and that a block is read now."""
    _cells[READING] = 1
    _cells[BEATS] += 1
