"""The statistics that poolings are made of: each starts empty, takes in blocks, and merges."""

from __future__ import annotations

import numpy as np

from gpool_cli.poolings import kernels
from gpool_cli.poolings.exact import ExactSum
from gpool_cli.poolings.interface import Array, Cells, Floats, Grid, Region

_EVERYWHERE: Region = (slice(None),)


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
        hi, lo = kernels.sums(values, self._exact)
        exponent = np.zeros(hi.shape, np.int32)
        if values.dtype == np.float64 and not np.isfinite(hi).all():
            hi, lo, exponent = _sums_of_the_huge(values, hi, lo)
        shape = self.total.hi[region].shape
        self.total.add(region, hi.reshape(shape), lo.reshape(shape), exponent.reshape(shape))

    def merge(self, other: Sum) -> None:
        self.total.add(_EVERYWHERE, other.total.hi, other.total.lo, other.total.exponent)


def _sums_of_the_huge(values: Floats, hi: Floats, lo: Floats) -> tuple[Floats, Floats, Array]:
    """Sum again, in units of 2**64, the cells whose float64 sum overflowed."""
    small_hi, small_lo = kernels.sums(values * 2.0**-64, exact=False)
    overflowed = ~np.isfinite(hi) & np.isfinite(small_hi)
    return (
        np.where(overflowed, small_hi, hi),
        np.where(overflowed, small_lo, lo),
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
        np.maximum(target, kernels.maxima(values).reshape(target.shape), out=target)

    def merge(self, other: Maximum) -> None:
        np.maximum(self.value, other.value, out=self.value)


def _lowest(dtype: np.dtype[np.generic]) -> np.generic:
    if dtype.kind == "f":
        return dtype.type(-np.inf)
    if dtype.kind == "b":
        return dtype.type(False)
    return dtype.type(np.iinfo(dtype).min)  # type: ignore[type-var]
