"""Order statistics in bounded memory: two neighbours in the sorted values of every cell.

While a map is small its blocks are kept, and selected from. A larger one is seen several times.
Each time the values that are left are counted by the next digit of their keys, and the bucket that
holds the wanted rank is the one that is left; after the last digit one key is. Its upper neighbour,
where it is another, is the least key above it, which takes one more look.
Source: radix selection; D. E. Knuth, The Art of Computer Programming 3, sections 5.2.5 and 5.3.3.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gpool_cli.poolings.interface import Array, Cells, Floats, Grid, Region
from gpool_cli.poolings.keys import key_bits, keys_of, values_of

# A map of up to so many bytes is kept; it holds any part of a batch.
_KEPT_BYTES = 32 << 20

# What the counts of all cells take at most, unless 8 bits a digit take more.
_COUNT_BYTES = 64 << 20

# A cell's counts by digits of 8 bits.
COUNTS_OF_A_CELL = 8 << 8


class Neighbours:
    """The statistic: the values at two neighbouring ranks of every cell.

    Args:
        q: The lower rank is floor(q * (n - 1)), counted from 0, of n values.
    """

    def __init__(self, q: float, grid: Grid) -> None:
        self._q, self._grid = q, grid
        self._count: Floats = np.zeros(grid.shape)
        self._kept: dict[tuple[tuple[int, int], ...], list[Cells]] = {}
        self._bytes = 0
        self._digits: _Digits | None = None

    def update(self, region: Region, cells: Cells) -> None:
        if self._digits is not None:
            self._digits.see(region, cells)
            if not self._digits.counted:
                self._add_count(region, cells)
            return
        name = tuple((part.start, part.stop) for part in region)
        # Blocks that overlap without being of the same cells can't be put together.
        fits = name in self._kept or not self._count[region].any()
        self._add_count(region, cells)
        missing = None if cells.missing is None else cells.missing.copy()
        self._kept.setdefault(name, []).append(Cells(cells.values.copy(), missing))
        self._bytes += cells.values.nbytes
        if self._bytes > _KEPT_BYTES or not fits:
            self._digits = _Digits(self._grid)
            for where, kept in self._blocks():
                self._digits.see(where, kept)
            self._kept = {}

    def merge(self, other: Neighbours) -> None:
        raise NotImplementedError("order statistics do not merge")

    def again(self) -> bool:
        """Whether the digits of the keys are not all known."""
        return self._digits is not None and self._digits.next(self._rank())

    def _blocks(self) -> Iterator[tuple[Region, Cells]]:
        for name, blocks in self._kept.items():
            for cells in blocks:
                yield tuple(slice(*ends) for ends in name), cells

    def _add_count(self, region: Region, cells: Cells) -> None:
        target = self._count[region]
        target += cells.values.shape[1]
        if cells.missing is not None:
            target -= np.count_nonzero(cells.missing, axis=1).reshape(target.shape)

    def _rank(self) -> Floats:
        return np.maximum(np.floor(self._position()), 0.0)

    def _position(self) -> Floats:
        return self._q * (self._count - 1)

    def values(self) -> tuple[Array, Array, Floats]:
        """The lower value, the upper one, and how far between them the quantile is: 0 to 1.

        Shape of the grid; cells without a value have anything.
        """
        rank = self._rank()
        if self._digits is not None:
            low, high = self._digits.found()
        else:
            low, high = (np.zeros(self._grid.shape, f"u{self._grid.dtype.itemsize}") for _ in "ab")
            for name, blocks in self._kept.items():
                region = tuple(slice(*ends) for ends in name)
                shape = low[region].shape
                both = _selected(blocks, rank[region].reshape(-1), self._count[region].reshape(-1))
                low[region], high[region] = (keys.reshape(shape) for keys in both)
        dtype = self._grid.dtype
        return values_of(low, dtype), values_of(high, dtype), self._position() - rank


def _selected(blocks: list[Cells], rank: Floats, count: Floats) -> tuple[Array, Array]:
    """The keys at a rank of every cell and at the next, of blocks of the same cells."""
    rows = np.concatenate([_rows_of_keys(cells) for cells in blocks], axis=1)
    last = rows.shape[1] - 1
    low = rank.astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count.astype(np.int64) - 1, 0))
    if (low == low[0]).all() and (high == high[0]).all():
        rows.partition(sorted({int(low[0]), int(high[0])}), axis=1)
    else:
        rows.sort(axis=1)
    cells_ = np.arange(len(rows))
    return rows[cells_, np.minimum(low, last)], rows[cells_, np.minimum(high, last)]


def _rows_of_keys(cells: Cells) -> Array:
    """The keys of a block, a row per cell; values that don't count are the last."""
    keys = keys_of(cells.values)
    if cells.missing is not None:
        keys = np.where(cells.missing, np.iinfo(keys.dtype).max, keys)
    return np.ascontiguousarray(keys.swapaxes(1, 2)).reshape(-1, keys.shape[1])


class _Digits:
    """The keys at a rank of every cell, as far as their leading digits are known."""

    def __init__(self, grid: Grid) -> None:
        self._shape = grid.shape
        self._cells = int(np.prod(grid.shape, dtype=np.int64))
        self._left = key_bits(grid.dtype)
        fitting = (_COUNT_BYTES // (8 * self._cells)).bit_length() - 1
        self._step = min(16, max(8, fitting))
        self._prefix = np.zeros(self._cells, np.uint64)
        self._rank: Array | None = None
        self._above: Array | None = None
        self._start_counting()

    @property
    def counted(self) -> bool:
        """Whether all values have been seen once."""
        return self._rank is not None

    def see(self, region: Region, cells: Cells) -> None:
        """Take in a block: count digits, or look for the least key above."""
        names = np.arange(self._cells).reshape(self._shape)[region]
        outer, pooled, inner = cells.values.shape
        names = names.reshape(outer, 1, inner)
        keys = keys_of(cells.values)
        if self._above is not None:
            self._see_above(names, keys, cells.missing)
            return
        wanted = None if cells.missing is None else ~cells.missing
        if self._rank is not None:
            same = (keys >> keys.dtype.type(self._left)) == self._prefix[names].astype(keys.dtype)
            wanted = same if wanted is None else wanted & same
        low = self._left - self._bits
        digits = (keys >> keys.dtype.type(low)) & keys.dtype.type((1 << self._bits) - 1)
        places = digits.astype(np.intp)
        places += names << self._bits
        chosen = places.reshape(-1) if wanted is None else places[wanted]
        np.add.at(self._counts.reshape(-1), chosen, 1)

    def next(self, rank: Floats) -> bool:
        """Go on to the next digit, when all blocks were seen; whether there is one to be seen."""
        if self._above is not None:
            return False
        wanted = rank.reshape(-1).astype(np.int64) if self._rank is None else self._rank
        upto = np.cumsum(self._counts, axis=1)
        digit = np.minimum((upto <= wanted[:, np.newaxis]).sum(axis=1), (1 << self._bits) - 1)
        cells = np.arange(self._cells)
        size = self._counts[cells, digit]
        self._rank = wanted - (upto[cells, digit] - size)
        self._prefix = (self._prefix << np.uint64(self._bits)) | digit.astype(np.uint64)
        self._left -= self._bits
        if self._left:
            self._start_counting()
            return True
        # The next in rank is the same value where there are more of it.
        self._last = self._rank + 1 >= size
        self._above = np.full(self._cells, np.iinfo(np.uint64).max, np.uint64)
        return bool(self._last.any())

    def found(self) -> tuple[Array, Array]:
        """The keys at the rank and at the next, shape of the grid."""
        assert self._above is not None
        nothing = self._above == np.iinfo(np.uint64).max
        high = np.where(self._last & ~nothing, self._above, self._prefix)
        return self._prefix.reshape(self._shape), high.reshape(self._shape)

    def _start_counting(self) -> None:
        self._bits = min(self._step, self._left)
        self._counts = np.zeros((self._cells, 1 << self._bits), np.int64)

    def _see_above(self, names: Array, keys: Array, missing: Array | None) -> None:
        assert self._above is not None
        most = np.iinfo(keys.dtype).max
        fitting = keys > self._prefix[names].astype(keys.dtype)
        if missing is not None:
            fitting &= ~missing
        least = np.where(fitting, keys, most).min(axis=1).astype(np.uint64)
        # The greatest key of all may be one, and stands for nothing found too: then both agree.
        least[~fitting.any(axis=1)] = np.iinfo(np.uint64).max
        cells = names[:, 0]
        self._above[cells] = np.minimum(self._above[cells], least)
