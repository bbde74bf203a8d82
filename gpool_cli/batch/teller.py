"""What people are told of a result, gathered while its pieces pass by."""

from __future__ import annotations

import math

import numpy as np

from gpool_cli.formats.interface import Array
from gpool_cli.model import Pooled, Result, Tally

_PREVIEW = 4


class Teller:
    """Gathers what there is to tell of one result.

    Args:
        first: Its first piece.
        where: Where it goes.
    """

    def __init__(self, first: Result, where: str) -> None:
        self._first, self._where = first, where
        self._low, self._high = math.inf, -math.inf
        self._sum, self._count, self._nan = 0.0, 0, 0

    def take_in(self, piece: Result, tally: Tally) -> None:
        """Count a piece, for this result and for the totals of the run."""
        tally.omitted += piece.omitted
        values = piece.values
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
        nan = np.isnan(values)
        count = int(np.count_nonzero(nan))
        self._nan += count
        tally.nan_values += count
        tally.inf_values += int(np.count_nonzero(np.isinf(values)))
        known = values[~nan]
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
            preview=tuple(value.item() for value in first.values.flat[:_PREVIEW]),
            where=self._where,
            first=first.first,
        )
