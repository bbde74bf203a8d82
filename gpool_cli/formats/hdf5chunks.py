"""Where the chunks of an HDF5 dataset are stored, by their place in the grid."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from typing import Any, NamedTuple

import numpy as np
from h5py import h5d

from gpool_cli.formats.hdf5filters import ChunkError

# What h5py 3.8 has on HDF5 1.12.3 or 1.14.
_HAS_ITER = hasattr(h5d.DatasetID, "chunk_iter")

# Without it, HDF5 walks its whole index for every chunk: 4 to 10 ms each where there are 50,000.
_MOST_BY_NUMBER = 1000

# An index of so many takes 32 MB and 1.5 s; and HDF5 walks a fixed array cell by cell, 80 ns each,
# allocated or not.
_MOST_CELLS = 1 << 20


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
    """The allocated chunks of a dataset, 32 bytes each. Places count in C order.

    Args:
        shape: The dataset's shape.
        chunks: The shape of a chunk.
    """

    def __init__(self, shape: tuple[int, ...], chunks: tuple[int, ...]) -> None:
        self.grid = tuple(-(-n // c) for n, c in zip(shape, chunks, strict=True))
        self._axes = list(zip(shape, chunks, self.grid, strict=True))
        self._most = math.prod(self.grid)
        self._places, self._offsets, self._sizes, self._skipped = (array("Q") for _ in range(4))
        self._wrong = ""
        self._seen = 0
        self._dense = True

    @classmethod
    def of(cls, dsid: Any, shape: tuple[int, ...], chunks: tuple[int, ...]) -> ChunkIndex | None:
        """Ask HDF5 for all chunks of a dataset; None where that would take it too long.

        Raises:
            ChunkError: What it says can't be.
        """
        index = cls(shape, chunks)
        if index._most > _MOST_CELLS:
            return None
        try:
            if _HAS_ITER:
                dsid.chunk_iter(index._add)
            elif dsid.get_num_chunks() <= _MOST_BY_NUMBER:
                for i in range(dsid.get_num_chunks()):
                    index._add(dsid.get_chunk_info(i))
            else:
                return None
        except (OSError, RuntimeError, ValueError) as error:
            raise ChunkError(str(error)) from None
        index._close()
        return index

    def __len__(self) -> int:
        return len(self._places)

    @property
    def is_full(self) -> bool:
        """Whether every chunk was allocated."""
        return len(self._places) == self._most

    def get(self, place: int) -> Chunk | None:
        """A chunk; None where it was never allocated."""
        i = place if self._dense else bisect_left(self._places, place)
        if i >= len(self._places) or self._places[i] != place:
            return None
        return Chunk(self._offsets[i], self._sizes[i], self._skipped[i])

    def _add(self, info: Any) -> int | None:
        """Take one chunk; anything but None ends the walk."""
        start, skipped, offset, size = info
        self._seen += 1
        place = 0
        for at, (extent, chunk, n) in zip(start, self._axes, strict=True):
            k, odd = divmod(at, chunk)
            if odd:
                self._wrong = f"chunk at {start} is not at a multiple of the chunks' shape"
                return 1
            if at >= extent:  # Left from before the dataset was made smaller.
                return 1 if self._seen > 4 * self._most + 64 else None
            place = place * n + k
        if offset is None:
            self._wrong = f"chunk at {start} has no address"
            return 1
        if len(self._places) == self._most:  # An index that runs in circles ends here.
            self._wrong = f"chunk at {start} is one more than there can be"
            return 1
        self._dense = self._dense and place == len(self._places)
        self._places.append(place)
        self._offsets.append(offset)
        self._sizes.append(size)
        self._skipped.append(skipped)
        return None

    def _close(self) -> None:
        """After the last `_add`: refuse what is wrong, sort what is not in order."""
        if self._wrong:
            raise ChunkError(self._wrong)
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
