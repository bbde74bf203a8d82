"""Where the chunks of an HDF5 dataset are stored, by their place in the grid."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from h5py import h5d

from gpool_cli import pulse
from gpool_cli.formats.hdf5filters import ChunkError

# What h5py 3.8 has on HDF5 1.12.3 or 1.14.
_HAS_ITER = hasattr(h5d.DatasetID, "chunk_iter")

# Without it, HDF5 walks its whole index for every chunk: 4 to 10 ms each where there are 50,000.
_MOST_BY_NUMBER = 1000

# So many entries, 32 bytes each, are held at one time; where there are more, those of some places
# in the grid. To go through a million takes HDF5 1.5 s.
_MOST_HELD = 1 << 20


class Chunk(NamedTuple):
    """Where a chunk is stored.

    Attributes:
        offset: Its first byte in the file.
        size: Its bytes in the file.
        skipped: Bit i: the i-th filter of the pipeline was left out when it was written.
    """

    offset: int
    size: int
    skipped: int


class ChunkIndex:
    """The allocated chunks of a dataset. Places count in C order.

    Args:
        dsid: The low-level dataset.
        shape: Its shape.
        chunks: The shape of a chunk.

    Raises:
        ChunkError: What HDF5 says of them can't be.
    """

    def __init__(self, dsid: Any, shape: tuple[int, ...], chunks: tuple[int, ...]) -> None:
        self.grid = tuple(-(-n // c) for n, c in zip(shape, chunks, strict=True))
        self._dsid = dsid
        self._axes = list(zip(shape, chunks, self.grid, strict=True))
        self._most = math.prod(self.grid)
        self._allocated = 0
        self._held = _Held(range(self._most))
        self._load(0)

    @classmethod
    def of(cls, dsid: Any, shape: tuple[int, ...], chunks: tuple[int, ...]) -> ChunkIndex | None:
        """The index of a dataset; None where an old h5py would take too long to give it."""
        if not _HAS_ITER and dsid.get_num_chunks() > _MOST_BY_NUMBER:
            return None
        return cls(dsid, shape, chunks)

    def __len__(self) -> int:
        return self._allocated

    def reopen(self, dsid: Any) -> None:
        """Go on with the same dataset of a file that was opened again."""
        self._dsid = dsid

    @property
    def is_full(self) -> bool:
        """Whether every chunk was allocated."""
        return self._allocated == self._most

    def all_have(self, size: int) -> bool:
        """Whether all chunks are known, and have this size in the file."""
        return len(self._held.window) == self._most and self._held.all_have(size)

    def get(self, place: int) -> Chunk | None:
        """A chunk; None where it was never allocated."""
        if place not in self._held.window:
            self._load(place)
        return self._held.get(place)

    def _load(self, first: int) -> None:
        """Hold what there is from a place on, as far as that is not too much."""
        pulse.look()
        if not self._fill(range(first, self._most)):
            self._fill(range(first, min(first + _MOST_HELD, self._most)))
        self._held.close()

    def _fill(self, window: range) -> bool:
        """Take in the chunks in a window; False where there are too many of them."""
        self._held, self._allocated = _Held(window), 0
        wrong = ""

        def take(info: Any) -> int | None:
            """Take one chunk; anything but None ends the walk."""
            nonlocal wrong
            try:
                place = self._place_of(info)
            except ChunkError as error:
                wrong = str(error)
                return 1
            if place in window:
                self._held.add(place, info)
            return 1 if len(self._held) > _MOST_HELD and len(window) > _MOST_HELD else None

        try:
            self._ask(take)
        except (OSError, RuntimeError, ValueError) as error:
            raise ChunkError(str(error)) from None
        if wrong:
            raise ChunkError(wrong)
        return len(self._held) <= _MOST_HELD

    def _ask(self, take: Callable[[Any], int | None]) -> None:
        if _HAS_ITER:
            self._dsid.chunk_iter(take)
            return
        for i in range(self._dsid.get_num_chunks()):
            if take(self._dsid.get_chunk_info(i)) is not None:
                return

    def _place_of(self, info: Any) -> int:
        """The place of the next chunk that HDF5 tells of."""
        start, _, offset, _ = info
        self._allocated += 1
        if not self._allocated & 1023:
            pulse.look()
        place = 0
        for at, (extent, chunk, n) in zip(start, self._axes, strict=True):
            k, odd = divmod(at, chunk)
            if odd:
                raise ChunkError(f"chunk at {start} is not at a multiple of the chunks' shape")
            if at >= extent:  # HDF5 takes away what is outside when an array is made smaller.
                raise ChunkError(f"chunk at {start} lies outside of the array")
            place = place * n + k
        if offset is None:
            raise ChunkError(f"chunk at {start} has no address")
        if self._allocated > self._most:  # An index that runs in circles ends here.
            raise ChunkError(f"chunk at {start} is one more than there can be")
        return place


class _Held:
    """The entries of an index whose places lie in a window."""

    def __init__(self, window: range) -> None:
        self.window = window
        self._places, self._offsets, self._sizes, self._skipped = (array("Q") for _ in range(4))
        self._dense = True

    def __len__(self) -> int:
        return len(self._places)

    def add(self, place: int, info: Any) -> None:
        """Take one chunk."""
        _, skipped, offset, size = info
        self._dense = self._dense and place == self.window.start + len(self._places)
        self._places.append(place)
        self._offsets.append(offset)
        self._sizes.append(size)
        self._skipped.append(skipped)

    def get(self, place: int) -> Chunk | None:
        """A chunk; None where it was never allocated."""
        i = place - self.window.start if self._dense else bisect_left(self._places, place)
        if i >= len(self._places) or self._places[i] != place:
            return None
        return Chunk(self._offsets[i], self._sizes[i], self._skipped[i])

    def all_have(self, size: int) -> bool:
        """Whether all have this size in the file."""
        return bool((np.frombuffer(self._sizes, np.uint64) == size).all())

    def close(self) -> None:
        """After the last chunk: sort what is not in order.

        Raises:
            ChunkError: A chunk is there twice.
        """
        if self._dense:
            return
        order = np.argsort(np.frombuffer(self._places, np.uint64), kind="stable")
        self._places, self._offsets, self._sizes, self._skipped = (
            array("Q", np.frombuffer(column, np.uint64)[order].tobytes())
            for column in (self._places, self._offsets, self._sizes, self._skipped)
        )
        places = np.frombuffer(self._places, np.uint64)
        if (places[1:] == places[:-1]).any():
            raise ChunkError("a chunk is listed twice")
