"""The pulse of a worker: a sign of life in memory that the process which watches it shares.

The HDF5 library may run in circles on a damaged file, and nothing inside of a process stops it.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Final

# How many beats there were; what is being done; which file of a unit is being worked on; how many
# bytes are read at once.
BEATS: Final = 0
DOING: Final = 1
PLACE: Final = 2
BYTES: Final = 3
CELLS = 4

OWN_WORK, HEADERS, BLOCK = range(3)

_cells: MutableSequence[int] = [0] * CELLS


def share(cells: MutableSequence[int]) -> None:
    """Beat in memory that another process sees, from now on."""
    global _cells
    _cells = cells


def begin(place: int) -> None:
    """Say which file of a unit is next."""
    _cells[PLACE] = place
    work()


def look() -> None:
    """Say that headers are read now, which takes less patience than a block does."""
    _cells[DOING] = HEADERS
    _cells[BEATS] += 1


def read(nbytes: int = 0) -> None:
    """Say that a block is read now, and how many bytes that takes where they are many."""
    _cells[DOING] = BLOCK
    _cells[BYTES] = nbytes
    _cells[BEATS] += 1


def work() -> None:
    """Say that nothing is read now."""
    _cells[DOING] = OWN_WORK


def wait() -> None:
    """Say that something is waited for that has an end of its own."""
    _cells[BEATS] += 1
