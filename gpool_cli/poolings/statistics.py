"""The statistics that poolings are made of: each starts empty, takes in blocks, and merges."""

from __future__ import annotations

import numpy as np

from gpool_cli.poolings import kernels
from gpool_cli.poolings.exact import ExactSum
from gpool_cli.poolings.interface import Array, Cells, Floats, Grid, Region

EVERYWHERE: Region = (slice(None),)


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


class Sum:
    """The sum of every cell's values, in double-double."""

    def __init__(self, grid: Grid) -> None:
        self.total = ExactSum(grid.shape)
        self._exact = grid.exact

    def update(self, region: Region, cells: Cells) -> None:
        values = cells.values
        if cells.missing is not None:
            values = np.where(cells.missing, values.dtype.type(0), values)
        add_sums(self.total, region, values, self._exact)

    def merge(self, other: Sum) -> None:
        self.total.add(EVERYWHERE, other.total.hi, other.total.lo, other.total.exponent)


def add_sums(total: ExactSum, region: Region, values: Array, exact: bool) -> None:
    """Add the values of every cell of a region to its sum; ``exact`` is that of the kernels."""
    hi, lo = kernels.sums(values, exact)
    exponent = None
    if values.dtype == np.float64 and not np.isfinite(hi).all():
        hi, lo, exponent = _sums_of_the_huge(values, hi, lo)
    shape = total.hi[region].shape
    total.add(
        region,
        hi.reshape(shape),
        None if lo is None else lo.reshape(shape),
        None if exponent is None else exponent.reshape(shape),
    )


def _sums_of_the_huge(
    values: Floats, hi: Floats, lo: Floats | None
) -> tuple[Floats, Floats | None, Array | None]:
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
        self.value: Array = np.full(grid.shape, _lowest(grid.dtype), grid.dtype)

    def update(self, region: Region, cells: Cells) -> None:
        values = cells.values
        if cells.missing is not None:
            values = np.where(cells.missing, _lowest(values.dtype), values)
        target = self.value[region]
        _raise_to(target, kernels.maxima(values).reshape(target.shape))

    def merge(self, other: Maximum) -> None:
        _raise_to(self.value, other.value)


def _raise_to(target: Array, values: Array) -> None:
    """Keep the larger of two values in every cell."""
    if target.dtype != np.float16:
        np.maximum(target, values, out=target)
        return
    # numpy compares float16 one by one; as a block of two positions they go by their bits.
    pair = np.concatenate([target.reshape(1, 1, -1), values.reshape(1, 1, -1)], axis=1)
    target[...] = kernels.maxima(pair).reshape(target.shape)


def _lowest(dtype: np.dtype[np.generic]) -> np.generic:
    if dtype.kind == "f":
        return dtype.type(-np.inf)
    if dtype.kind == "b":
        return dtype.type(False)
    return dtype.type(np.iinfo(dtype).min)  # type: ignore[type-var]
