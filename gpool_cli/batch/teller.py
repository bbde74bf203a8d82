"""What people are told of a result, gathered while its pieces pass by."""

from __future__ import annotations

import math

import numpy as np

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
        values = piece.values
        tally.omitted += piece.omitted
        if values.dtype.kind == "f":
            nan = np.isnan(values)
            self._nan += int(np.count_nonzero(nan))
            tally.nan_values += int(np.count_nonzero(nan))
            tally.inf_values += int(np.count_nonzero(np.isinf(values)))
            values = values[~nan]
        if values.size:
            self._low = min(self._low, float(values.min()))
            self._high = max(self._high, float(values.max()))
            with np.errstate(all="ignore"):
                self._sum += float(values.sum(dtype=np.float64))
            self._count += values.size

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
