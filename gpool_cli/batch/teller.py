"""What people are told of a result, gathered while its pieces pass by."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gpool_cli.events import Pooled
from gpool_cli.formats.interface import Array
from gpool_cli.formats.rows import batch_first
from gpool_cli.model import Alike, Result
from gpool_cli.poolings.kernels import widened
from gpool_cli.tally import Tally

if TYPE_CHECKING:
    from gpool_cli.ranking import Ranked
    from gpool_cli.sketch import Sketcher


_PREVIEW = 4
_MOST_RANKED = 10

# Values of float16 that are widened at a time.
_AT_A_TIME = 1 << 16


class Teller:
    """Gathers what there is to tell of one result.

    Args:
        first: Its first piece.
        where: Where it goes.
        sketched: Tell also what it looks like.
    """

    def __init__(self, first: Result, where: str, sketched: bool = False) -> None:
        self._first, self._where = first, where
        self._sketcher = _sketcher() if sketched else None
        self._low, self._high = math.inf, -math.inf
        self._sum, self._count, self._nan = 0.0, 0, 0

    def take_in(self, piece: Result, tally: Tally) -> None:
        """Count a piece, for this result and for the totals of the run."""
        _count_unusual(piece, tally)
        if self._sketcher is not None:
            self._sketcher.take_in(piece)
        for values in _quick(piece.values):
            self._measure(values, tally)

    def _measure(self, values: Array, tally: Tally) -> None:
        low, high = float(values.min()), float(values.max())
        if not math.isfinite(low + high):
            values, low, high = self._without_nan(values, tally)
        if values.size:
            self._low, self._high = min(self._low, low), max(self._high, high)
            with np.errstate(all="ignore"):
                self._sum += float(np.add.reduce(values, axis=None, dtype=np.float64))
            self._count += values.size

    def _without_nan(self, values: Array, tally: Tally) -> tuple[Array, float, float]:
        """Count what is not finite; the values that are no NaN, with their bounds."""
        self._nan += _count_special(values, tally)
        known = values[~np.isnan(values)]
        if not known.size:
            return known, math.inf, -math.inf
        return known, float(known.min()), float(known.max())

    def tell(self) -> Pooled:
        """What there is to tell, when all pieces have passed."""
        first = self._first
        known = self._count > 0
        return Pooled(
            file=first.file,
            info=first.info,
            layout=first.layout,
            pooling=first.pooling,
            shape=first.shape,
            dtype=first.values.dtype.name,
            low=self._low if known else None,
            mean=self._sum / self._count if known else None,
            high=self._high if known else None,
            nan_values=self._nan,
            preview=tuple(first.values.flat[:_PREVIEW].tolist()),
            where=self._where,
            first=first.first,
            ranked=_ranked(first),
            sketch=self._sketcher.sketch() if self._sketcher is not None else None,
        )


def _quick(values: Array) -> Iterator[Array]:
    """The values in a dtype that numpy is quick with: it takes float16 one by one."""
    if values.dtype != np.float16:
        yield values
        return
    flat = values.reshape(-1)
    for first in range(0, len(flat), _AT_A_TIME):
        yield widened(flat[first : first + _AT_A_TIME])


def _sketcher() -> Sketcher:
    from gpool_cli.sketch import Sketcher  # Few runs need what it is made of.

    return Sketcher()


def _ranked(result: Result) -> tuple[list[Ranked], ...]:
    """The largest values of the first maps of a result, where they are ranked."""
    if result.ranking is None:
        return ()
    rows = batch_first(result)[:_MOST_RANKED]
    return tuple(result.ranking.of(row.ravel()) for row in rows)


def _count_special(values: Array, tally: Tally) -> int:
    """Count NaN and infinities for the totals of the run, and say how many NaN they are."""
    count = int(np.count_nonzero(np.isnan(values)))
    tally.nan_values += count
    tally.inf_values += int(np.count_nonzero(np.isinf(values)))
    return count


def _count_unusual(result: Result, tally: Tally) -> None:
    """Count what was left out of a result, and what has no length, for the totals of the run."""
    tally.omitted += result.omitted
    tally.masked += result.masked
    tally.empty_channels += result.empty
    tally.clamped += result.clamped
    if result.normalized:
        there = result.values.any(axis=result.axes.index("C"))
        tally.zero_vectors += int(np.count_nonzero(~there))


def count_together(alike: Alike, tally: Tally) -> None:
    """Count files that are alike for the totals of the run."""
    tally.files += alike.count
    tally.maps += alike.count
    tally.bytes_in += alike.count * alike.results[0].info.nbytes
    for result in alike.results:
        _count_unusual(result, tally)
        if not math.isfinite(float(result.values.min()) + float(result.values.max())):
            _count_special(result.values, tally)


def tell_one(alike: Alike, where: Sequence[str], sketched: bool, place: int) -> Pooled:
    """What there is to tell of one result of files that are alike.

    Args:
        alike: The files.
        where: Where the results of each pooling go.
        sketched: Tell also what it looks like.
        place: Which result: those of the first file come first.
    """
    file, pooling = divmod(place, len(alike.results))
    result = alike.result(file, pooling)
    teller = Teller(result, where[pooling], sketched)
    teller.take_in(result, Tally())
    return teller.tell()
