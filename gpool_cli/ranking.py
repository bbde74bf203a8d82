"""The largest values of a row, with the names of their places: the top classes of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Ranked:
    """One of the largest values of a row.

    Attributes:
        rank: 1 for the largest.
        index: Its place in the row: the class.
        label: The name of the class; '' where it has none.
        confidence: The value, a numpy scalar of the row's dtype.
    """

    rank: int
    index: int
    label: str
    confidence: Any


@dataclass(frozen=True)
class Ranking:
    """How the values of a row are ranked.

    Attributes:
        count: How many of the largest are named.
        labels: The names of all places of a row; empty where they have none.
    """

    count: int
    labels: tuple[str, ...] = ()

    def of(self, row: npt.NDArray[Any]) -> list[Ranked]:
        """The largest values of a row, the first of equal ones first; NaN is never among them."""
        known = row.size - int(np.count_nonzero(np.isnan(row)))
        # NaN sorts to the end.
        largest = np.argsort(-row, kind="stable")[: min(self.count, known)]
        return [
            Ranked(rank, int(i), self.labels[i] if self.labels else "", row[i])
            for rank, i in enumerate(largest, 1)
        ]
