"""The state of a set of poolings: what they know after seeing part of a map.

States of one map merge, in any cut and any number; merging has an identity, the state that has
seen nothing. Poolings that need the same statistic share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gpool_cli.errors import InputError
from gpool_cli.poolings.interface import Array, Cells, Grid, Pooling, Region, Repeating, Statistic
from gpool_cli.poolings.normalize import Norm, normalized
from gpool_cli.poolings.statistics import Count


class State:
    """Statistics of every cell (channel of a map) for several poolings at once.

    Args:
        poolings: What will be asked of it.
        grid: The cells, and the dtype of their values.
    """

    def __init__(self, poolings: Sequence[Pooling], grid: Grid) -> None:
        self._grid = grid
        self._count = Count(grid)
        needs = {name: start for pooling in poolings for name, start in pooling.needs.items()}
        # The moments make the sums of a block with their own; who needs those alone comes later.
        names = sorted(needs, key=lambda name: name != "moments")
        self._statistics: dict[str, Statistic] = {name: needs[name](grid) for name in names}
        self._statistics["count"] = self._count
        self._seeing = self._statistics

    def update(self, region: Region, cells: Cells) -> None:
        """Take in a block whose cells fill this region of the grid."""
        with np.errstate(all="ignore"):
            for statistic in self._seeing.values():
                statistic.update(region, cells)

    def again(self) -> bool:
        """Whether all values must be seen once more, now that all were; see `Repeating`.

        The next time only statistics that ask for it take them in.
        """
        repeating = {n: s for n, s in self._seeing.items() if isinstance(s, Repeating)}
        with np.errstate(all="ignore"):
            self._seeing = {n: s for n, s in repeating.items() if s.again()}
        return bool(self._seeing)

    def merge(self, other: State) -> None:
        """Take in the state of another part of the same map."""
        with np.errstate(all="ignore"):
            for name, statistic in self._statistics.items():
                statistic.merge(other._statistics[name])

    @property
    def empty(self) -> npt.NDArray[np.bool_]:
        """In which cells no value counts, shape of the grid."""
        return np.equal(self._count.value, 0)

    def clamped(self, pooling: Pooling) -> int:
        """How many values a pooling took as another."""
        return pooling.clamped(self._statistics) if pooling.clamped is not None else 0

    def finish(
        self, pooling: Pooling, dtype: np.dtype[Any] | None = None, norm: Norm | None = None
    ) -> Array:
        """The pooled value of every cell, shape of the grid.

        Args:
            pooling: One of those the state was made for.
            dtype: The output's dtype; None for the pooling's own.
            norm: How the values are normalized before they are rounded to that; None leaves them.

        Raises:
            InputError: A value does not fit the dtype that was asked for.
        """
        own = dtype is None or pooling.companion
        target = pooling.result_dtype(self._grid.dtype) if own else np.dtype(dtype)
        with np.errstate(all="ignore"):
            values = pooling.finish(self._statistics)
            if norm is not None:
                values = normalized(values, _along_tail(norm) if pooling.tail else norm)
            return _narrowed(values, target)


def _along_tail(norm: Norm) -> Norm:
    """The same of vectors whose channels have several numbers each along a last axis."""
    return Norm(norm.name, (*norm.axes, -1))


def _narrowed(values: Array, dtype: np.dtype[Any]) -> Array:
    """The values in the output's dtype, rounded once; +0 for -0, and one NaN for all."""
    narrow = values.astype(dtype)
    if dtype.kind == "f":
        bits = narrow.view(f"u{narrow.itemsize}")
        sign, infinity = (int(np.array(x, dtype).view(bits.dtype)) for x in (-0.0, np.inf))
        # By bits, because numpy takes float16 one by one; infinities and NaN are rare.
        if np.maximum.reduce(bits & (sign - 1), axis=None, initial=0) >= infinity:
            lost = np.isfinite(values) & ~np.isfinite(narrow)
            _refuse(lost, values, dtype, "does not fit")
            narrow[np.isnan(narrow)] = dtype.type(np.nan)
        bits[bits == sign] = 0
        return narrow
    if values.dtype == dtype:
        return narrow
    if values.dtype.kind == "f":
        _refuse(~np.isfinite(values), values, dtype, "does not fit")
        _refuse(np.trunc(values) != values, values, dtype, "is a fraction, and does not fit")
    _refuse(~_within(values, dtype), values, dtype, "does not fit")
    return narrow


def _within(values: Array, dtype: np.dtype[Any]) -> Array:
    """Which values lie in the range of an integer dtype."""
    if dtype.kind == "b":
        lowest, highest = 0, 1
    else:
        lowest, highest = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    if values.dtype.kind == "f":
        # The highest plus one is a power of two, which a float holds exactly.
        return np.logical_and(values >= float(lowest), values < float(highest + 1))
    own = np.iinfo(np.uint8 if values.dtype.kind == "b" else values.dtype)
    wide = values.astype(np.uint64 if own.min == 0 else np.int64)
    return np.logical_and(wide >= max(lowest, int(own.min)), wide <= min(highest, int(own.max)))


def _refuse(bad: Array, values: Array, dtype: np.dtype[Any], why: str) -> None:
    if bad.any():
        worst = values[bad].flat[0]
        widest = dtype.kind != "f" and dtype.itemsize == 8
        hint = "--dtype float64" if widest else "choose a wider --dtype, or leave it out"
        raise InputError(f"the result {worst!s} {why} {dtype.name}", hint)
