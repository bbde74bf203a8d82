"""Where the maximum of every channel is: what ``max --where`` writes beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gpool_cli.poolings.dtypes import index_dtype
from gpool_cli.poolings.interface import Array, Cells, Grid, Pooling, Region
from gpool_cli.poolings.statistics import block_maxima, lowest

# No position: above all others, so that the first of two is the lesser.
_NOWHERE = np.iinfo(np.int64).max


class Position:
    """The statistic: the largest value of every cell, and where it is first.

    Attributes:
        value: The largest values; NaN is above all.
        place: Their place among all positions of the map, counted in the user's order of axes.
        lengths: The lengths of the pooled axes, in that order.
    """

    def __init__(self, grid: Grid) -> None:
        self._reversed = grid.reversed
        self.lengths = grid.pooled[::-1] if grid.reversed else grid.pooled
        self.value: Array = np.full(grid.shape, lowest(grid.dtype), grid.dtype)
        self.place = np.full(grid.shape, _NOWHERE, np.int64)

    def update(self, region: Region, cells: Cells) -> None:
        value, place = self.value[region], self.place[region]
        best = block_maxima(cells).reshape(value.shape)
        # A block with nothing as large has nothing to say: most of a long map.
        candidates = _not_below(best, value)
        o, i = np.nonzero(candidates.reshape(cells.values.shape[0], cells.values.shape[2]))
        found = np.full((cells.values.shape[0], cells.values.shape[2]), _NOWHERE, np.int64)
        places = self._places(cells)
        step = max(1, (1 << 20) // cells.values.shape[1])
        for first in range(0, len(o), step):
            some = o[first : first + step], i[first : first + step]
            rows = cells.values[some[0], :, some[1]]
            top = best.reshape(found.shape)[some][:, np.newaxis]
            hit = (rows == top) | ((rows != rows) & (top != top))
            if cells.missing is not None:
                hit &= ~cells.missing[some[0], :, some[1]]
            found[some] = np.where(hit, places, _NOWHERE).min(axis=1)
        self._keep(region, best, found.reshape(place.shape))

    def merge(self, other: Position) -> None:
        self._keep((slice(None),), other.value, other.place)

    def _keep(self, region: Region, value: Array, place: Array) -> None:
        mine, my_place = self.value[region], self.place[region]
        above = _not_below(value, mine) & ~_not_below(mine, value)
        level = _not_below(value, mine) & ~above
        self.place[region] = np.where(
            above, place, np.where(level, np.minimum(place, my_place), my_place)
        )
        self.value[region] = np.where(above, value, mine)

    def _places(self, cells: Cells) -> Array:
        """The place of every position of a block, along its middle axis."""
        axes = [np.arange(a, a + n) for a, n in zip(cells.start, cells.extent, strict=True)]
        # In the order of memory; the user's last axis counts in ones.
        strides = [math.prod(self.lengths[i + 1 :]) for i in range(len(self.lengths))]
        if self._reversed:
            strides.reverse()
        places: Array = np.zeros((), np.int64)
        for axis, stride in zip(axes, strides, strict=True):
            places = np.add.outer(places, axis * stride)
        return places.reshape(-1)


def _not_below(one: Array, other: Array) -> Array:
    """Where one value is the larger or as large; NaN is above all."""
    above: Array = (one >= other) | (one != one)
    return above


def _finish(statistics: Mapping[str, Any]) -> Array:
    position = statistics["position"]
    known = position.place != _NOWHERE
    indices = np.unravel_index(np.where(known, position.place, 0), position.lengths)
    return np.stack([np.where(known, index, -1) for index in indices], axis=-1)


WHERE = Pooling(
    name="where",
    needs={"position": Position},
    finish=_finish,
    result_dtype=index_dtype,
    formula="argmax(x)",
    source="numpy.argmax; Oquab, Bottou, Laptev, Sivic (CVPR 2015)",
    tail="positions",
    companion=True,
    cell_bytes=64,
)
"""The index of every channel's maximum on each pooled axis, in the order of the user's axes.

Where several values are the largest, or NaN, it is the first of them in that order; a channel in
which no value counts has -1.
"""
