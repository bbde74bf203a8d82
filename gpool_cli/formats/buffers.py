"""Memory that blocks are read into, used again by whatever is read next.

Fresh memory costs more than what is read into it: the system clears it page by page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

# What is kept between two arrays: a few usual blocks, but no huge chunk.
_MOST_KEPT = 8 << 20

_spare: list[Buffers] = []


class Buffers:
    """Memory that is used for block after block; it grows to the largest that was asked for."""

    def __init__(self) -> None:
        self._held: dict[str, Bytes] = {}

    def take(self, name: str, size: int, spare: int = 0) -> Bytes:
        """So many bytes, valid until they are taken again.

        Args:
            name: What they are for.
            size: How many.
            spare: How many more to get where there are too few.
        """
        held = self._held.get(name)
        if held is None or len(held) < size:
            self._held.pop(name, None)
            held = self._held[name] = np.empty(size + spare, np.uint8)
        return held[:size]

    @property
    def nbytes(self) -> int:
        """How many bytes are held."""
        return sum(held.nbytes for held in self._held.values())


@contextmanager
def borrowed() -> Iterator[Buffers]:
    """Buffers that are nobody else's meanwhile; whoever comes next gets them with what they hold.

    What lies in them is valid until the end of the ``with``.
    """
    try:
        buffers = _spare.pop()
    except IndexError:
        buffers = Buffers()
    try:
        yield buffers
    finally:
        if buffers.nbytes <= _MOST_KEPT:
            _spare.append(buffers)
