"""The statistics that poolings are made of: each starts empty, takes in blocks, and merges."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpool_cli.poolings import functions, kernels
from gpool_cli.poolings.exact import ExactSum
from gpool_cli.poolings.interface import Array, Cells, Floats, Grid, Region


class Count:
    """How many values every cell has seen that count."""

    def __init__(self, grid: Grid) -> None:
        self.value: Floats = np.zeros(grid.shape)

    def update(self, region: Region, cells: Cells) -> None:
        target = self.value[region]
        if cells.missing is None:
            target += cells.values.shape[1]
        else:
            present = cells.values.shape[1] - np.count_nonzero(cells.missing, axis=1)
            target += present.reshape(target.shape)

    def merge(self, other: Count) -> None:
        self.value += other.value


class Below:
    """How many of every cell's values that count are below a number."""

    def __init__(self, least: float, grid: Grid) -> None:
        # As float64, or it would be rounded to the dtype of the values.
        self._least = np.float64(least)
        self.value: Array = np.zeros(grid.shape, np.int64)

    def update(self, region: Region, cells: Cells) -> None:
        below = cells.values < self._least
        if cells.missing is not None:
            below &= ~cells.missing
        target = self.value[region]
        target += np.count_nonzero(below, axis=1).reshape(target.shape)

    def merge(self, other: Below) -> None:
        self.value += other.value


class Sum:
    """The sum of every cell's values, in double-double."""

    def __init__(self, grid: Grid) -> None:
        self.total = ExactSum(grid.shape)
        self.dtype = grid.dtype
        self._exact = grid.exact

    def update(self, region: Region, cells: Cells) -> None:
        parts = cells.once("sums", lambda: block_sums(cells.filled(0), self._exact))
        add_to(self.total, region, parts)

    def merge(self, other: Sum) -> None:
        self.total.merge(other.total)


class AbsoluteSum(Sum):
    """The sum of every cell's absolute values, in double-double."""

    def update(self, region: Region, cells: Cells) -> None:
        # After a ReLU, as most maps are, the sum itself is wanted; to see that costs a third of it.
        if not np.signbit(block_minima(cells)).any():
            super().update(region, cells)
            return
        values = cells.filled(0)
        hi, lo = functions.sums_of(values, lambda tile, *_: functions.absolute(tile), self._exact)
        if values.dtype == np.float64 and not np.isfinite(hi).all():
            add_to(self.total, region, block_sums(np.abs(values), self._exact))
        else:
            add_to(self.total, region, (hi, lo, None))


Parts = tuple[Floats, Floats | None, Array | None]


def add_to(total: ExactSum, region: Region, parts: Parts) -> None:
    """Add the sums of a block to the cells of a region."""
    shape = total.hi[region].shape
    hi, lo, exponent = (part if part is None else part.reshape(shape) for part in parts)
    assert hi is not None
    total.add(region, hi, lo, exponent)


def block_sums(values: Array, exact: bool) -> Parts:
    """The sums of a block's cells: hi, lo and exponent as `ExactSum.add` takes them."""
    hi, lo = kernels.sums(values, exact)
    if values.dtype == np.float64 and not np.isfinite(hi).all():
        return _sums_of_the_huge(values, hi, lo)
    return hi, lo, None


def _sums_of_the_huge(values: Floats, hi: Floats, lo: Floats | None) -> Parts:
    """Sum again, in units of 2**64, the cells whose float64 sum overflowed.

    A sum that overflows on the way may end as NaN too, but then it does not when scaled down; an
    infinity or NaN among the values does.
    """
    small_hi, small_lo = kernels.sums(values * 2.0**-64, exact=True)
    overflowed = ~np.isfinite(hi) & np.isfinite(small_hi)
    if not overflowed.any():
        return hi, lo, None
    return (
        np.where(overflowed, small_hi, hi),
        np.where(overflowed, 0.0 if small_lo is None else small_lo, 0.0 if lo is None else lo),
        np.where(overflowed, np.int32(64), np.int32(0)),
    )


class Maximum:
    """The largest value of every cell, one of the stored ones; NaN where one was seen."""

    def __init__(self, grid: Grid) -> None:
        self.value: Array = np.full(grid.shape, lowest(grid.dtype), grid.dtype)

    def update(self, region: Region, cells: Cells) -> None:
        target = self.value[region]
        _keep(np.maximum, target, block_maxima(cells).reshape(target.shape))

    def merge(self, other: Maximum) -> None:
        _keep(np.maximum, self.value, other.value)


class Minimum:
    """The smallest value of every cell, one of the stored ones; NaN where one was seen."""

    def __init__(self, grid: Grid) -> None:
        self.value: Array = np.full(grid.shape, highest(grid.dtype), grid.dtype)

    def update(self, region: Region, cells: Cells) -> None:
        target = self.value[region]
        _keep(np.minimum, target, block_minima(cells).reshape(target.shape))

    def merge(self, other: Minimum) -> None:
        _keep(np.minimum, self.value, other.value)


def block_maxima(cells: Cells) -> Array:
    """The largest value of every cell of a block, shape (outer, inner)."""
    return cells.once("max", lambda: kernels.maxima(cells.filled(lowest(cells.values.dtype))))


def block_minima(cells: Cells) -> Array:
    """The smallest value of every cell of a block, shape (outer, inner)."""
    return cells.once("min", lambda: kernels.minima(cells.filled(highest(cells.values.dtype))))


def _keep(ufunc: np.ufunc, target: Array, values: Array) -> None:
    """Keep the larger or the smaller of two values in every cell."""
    if target.dtype != np.float16:
        ufunc(target, values, out=target)
        return
    # numpy compares float16 one by one; as a block of two positions they go by their bits.
    pair = np.concatenate([target.reshape(1, 1, -1), values.reshape(1, 1, -1)], axis=1)
    extremes = kernels.maxima if ufunc is np.maximum else kernels.minima
    target[...] = extremes(pair).reshape(target.shape)


def lowest(dtype: np.dtype[Any]) -> Any:
    """The value that no maximum is below."""
    if dtype.kind == "f":
        return dtype.type(-np.inf)
    return dtype.type(False) if dtype.kind == "b" else dtype.type(np.iinfo(dtype).min)


def highest(dtype: np.dtype[Any]) -> Any:
    """The value that no minimum is above."""
    if dtype.kind == "f":
        return dtype.type(np.inf)
    return dtype.type(True) if dtype.kind == "b" else dtype.type(np.iinfo(dtype).max)


def or_nan(values: Array, count: Floats) -> Array:
    """The values; NaN in floats where no value counts. Integers have none, and stay."""
    empty = count == 0
    if values.dtype.kind != "f" or not empty.any():
        return values
    return np.where(empty, values.dtype.type(np.nan), values)
