"""What there is in every channel, told of it and not pooled: its range, NaN and infinities.

One statistic knows it all, so that one pass over a map is enough for all the measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gpool_cli.poolings import kernels
from gpool_cli.poolings.interface import Array, Cells, Grid, Pooling, Region
from gpool_cli.poolings.statistics import highest, lowest


class Census:
    """The least and the largest of every cell's numbers, and how many of its values are none.

    Attributes:
        low: The least value that is no NaN; above `high` where there is none.
        high: The largest value that is no NaN.
        nan: How many NaN there are.
        infinite: How many infinities there are.
    """

    def __init__(self, grid: Grid) -> None:
        least, largest = lowest(grid.dtype), highest(grid.dtype)
        self.low: Array = np.full(grid.shape, largest, grid.dtype)
        self.high: Array = np.full(grid.shape, least, grid.dtype)
        self.nan: Array = np.zeros(grid.shape, np.int64)
        self.infinite: Array = np.zeros(grid.shape, np.int64)

    def update(self, region: Region, cells: Cells) -> None:
        values = cells.values
        low, high = kernels.minima(values), kernels.maxima(values)
        # The ends of a cell are finite where all of it is, which is nearly always.
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            low, high = self._count_special(region, values)
        _move(self.low[region], low, np.minimum)
        _move(self.high[region], high, np.maximum)

    def _count_special(self, region: Region, values: Array) -> tuple[Array, Array]:
        """Count what is not finite, and say the ends of the cells without NaN."""
        missing = np.isnan(values)
        for counter, found in ((self.nan, missing), (self.infinite, np.isinf(values))):
            target = counter[region]
            target += np.count_nonzero(found, axis=1).reshape(target.shape)
        least, largest = lowest(values.dtype), highest(values.dtype)
        return (
            kernels.minima(np.where(missing, largest, values)),
            kernels.maxima(np.where(missing, least, values)),
        )

    def merge(self, other: Census) -> None:
        _move(self.low, other.low, np.minimum)
        _move(self.high, other.high, np.maximum)
        self.nan += other.nan
        self.infinite += other.infinite


def _move(target: Array, values: Array, ufunc: np.ufunc) -> None:
    """Keep the lesser or the larger of two values in every cell."""
    ufunc(target, values.reshape(target.shape), out=target)


def _measure(name: str, finish: Callable[[Census], Array], counts: bool = False) -> Pooling:
    def of(statistics: Mapping[str, Any]) -> Array:
        return finish(statistics["census"])

    def dtype_of(dtype: np.dtype[Any]) -> np.dtype[Any]:
        return np.dtype(np.int64) if counts else dtype

    return Pooling(name, {"census": Census}, of, dtype_of)


LOW = _measure("census-low", lambda census: census.low)
"""The least value of every channel that is no NaN; above `HIGH` where there is none."""

HIGH = _measure("census-high", lambda census: census.high)
"""The largest value of every channel that is no NaN."""

NAN = _measure("census-nan", lambda census: census.nan, counts=True)
"""How many NaN every channel has."""

INFINITE = _measure("census-infinite", lambda census: census.infinite, counts=True)
"""How many infinities every channel has."""
