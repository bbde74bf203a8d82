"""Statistics of values that have weights: the sum of both multiplied, and the sum of weights."""

from __future__ import annotations

import numpy as np

from gpool_cli.poolings import kernels
from gpool_cli.poolings.exact import ExactSum
from gpool_cli.poolings.interface import Cells, Floats, Grid, Region
from gpool_cli.poolings.statistics import add_to, block_sums


class WeightedSum:
    """The sum of weight * value of every cell.

    A product is rounded to float64, which costs at most u of the sum of abs(w * x), u = 2**-53;
    those of values up to float32 and weights up to float32 are exact. Adding them costs what
    `gpool_cli.poolings.kernels` says of float64, and of exact sums where the answer is float64.
    """

    def __init__(self, grid: Grid) -> None:
        self.total = ExactSum(grid.shape)
        self._exact = grid.exact or grid.dtype.itemsize > 4 or grid.dtype in (np.int32, np.uint32)

    def update(self, region: Region, cells: Cells) -> None:
        products = np.multiply(cells.filled(0), _weights(cells), dtype=np.float64)
        add_to(self.total, region, block_sums(products, self._exact))

    def merge(self, other: WeightedSum) -> None:
        self.total.merge(other.total)


class TotalWeight:
    """The sum of the weights of every cell's values that count."""

    def __init__(self, grid: Grid) -> None:
        self.total = ExactSum(grid.shape)

    @property
    def value(self) -> Floats:
        """The sums, rounded once."""
        value: Floats = self.total.hi + self.total.lo
        return value

    def update(self, region: Region, cells: Cells) -> None:
        weights, outer, inner = _weights(cells), cells.values.shape[0], cells.values.shape[2]
        if cells.missing is not None:
            weights = np.where(cells.missing, 0.0, weights)
        hi, lo = kernels.sums(np.ascontiguousarray(weights), exact=True)
        shape = self.total.hi[region].shape
        # Cells that share their weights share the sums.
        hi = np.broadcast_to(hi, (outer, inner)).reshape(shape)
        if lo is not None:
            lo = np.broadcast_to(lo, (outer, inner)).reshape(shape)
        self.total.add(region, hi, lo)

    def merge(self, other: TotalWeight) -> None:
        self.total.merge(other.total)


def _weights(cells: Cells) -> Floats:
    assert cells.weights is not None
    return cells.weights
