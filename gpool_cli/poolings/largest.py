"""The mean of the largest values of every channel."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from gpool_cli.poolings.dtypes import average_dtype
from gpool_cli.poolings.exact import ExactSum
from gpool_cli.poolings.interface import Array, Cells, Floats, Grid, Pooling, Region
from gpool_cli.poolings.keys import keys_of, values_of
from gpool_cli.poolings.statistics import (
    Count,
    Maximum,
    add_to,
    block_maxima,
    block_sums,
    or_nan,
)


class Largest:
    """The statistic: the keys of the k largest values of every cell, in no order.

    Attributes:
        keys: Shape of the grid, and k; 0 stands where fewer values were seen.
        dtype: That of the values.
    """

    def __init__(self, k: int, grid: Grid) -> None:
        self._k = k
        self.dtype = grid.dtype
        self.keys: Array = np.zeros((*grid.shape, k), f"u{grid.dtype.itemsize}")

    def update(self, region: Region, cells: Cells) -> None:
        mine = self.keys[region]
        outer, _, inner = cells.values.shape
        flat = mine.reshape(outer, inner, self._k)
        keys = keys_of(cells.values)
        if cells.missing is not None:
            keys = np.where(cells.missing, keys.dtype.type(0), keys)
        # Most blocks of a long map have nothing that is among the largest of a cell.
        o, i = np.nonzero(keys_of(block_maxima(cells)) > flat.min(axis=-1))
        step = max(1, (1 << 20) // keys.shape[1])
        for first in range(0, len(o), step):
            some = o[first : first + step], i[first : first + step]
            rows = np.concatenate([flat[some], keys[some[0], :, some[1]]], axis=-1)
            flat[some] = _largest(rows, self._k)
        self.keys[region] = flat.reshape(mine.shape)

    def merge(self, other: Largest) -> None:
        self.keys = _largest(np.concatenate([self.keys, other.keys], axis=-1), self._k)


def _largest(rows: Array, k: int) -> Array:
    """The k largest keys along the last axis."""
    return np.partition(rows, rows.shape[-1] - k, axis=-1)[..., -k:]


def topk(k: float) -> Pooling:
    """The mean of the k largest values of every channel; of all, where there are fewer.

    As exact as the average. It keeps k values of every channel.
    """
    most = int(k)
    kept = f"largest k={most}"
    return Pooling(
        name="topk",
        needs={kept: partial(Largest, most), "max": Maximum, "count": Count},
        finish=partial(_finish, kept, most),
        result_dtype=average_dtype,
        formula="(1/k) * sum(the k largest of x)",
        source="Durand, Thome, Cord: WELDON (CVPR 2016); k-max pooling, arXiv:1404.2188",
        cell_bytes=24 * most + 40,
    )


def _finish(kept: str, k: int, statistics: Mapping[str, Any]) -> Array:
    largest, count = statistics[kept], statistics["count"].value
    # In one order, for a sum of floats must not tell how the map was cut.
    rows = values_of(np.sort(largest.keys.reshape(-1, k), axis=-1), largest.dtype)
    seen: Floats = np.minimum(count, k).reshape(-1, 1)
    rows = np.where(np.arange(k) >= k - seen, rows, rows.dtype.type(0))
    total = ExactSum((len(rows),))
    cells = np.ascontiguousarray(rows)[:, :, np.newaxis]
    add_to(total, (slice(None),), block_sums(cells, exact=True))
    means = or_nan(total.divided_by(seen[:, 0]).reshape(count.shape), count)
    # The keys of NaN have no fixed place, but the maximum has seen it.
    maximum = statistics["max"].value
    return np.where(maximum != maximum, np.nan, means)
