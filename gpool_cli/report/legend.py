"""What is said below pictures: what the colours mean, and what was marked or reduced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gpool_cli.quantities import count_text, number_text
from gpool_cli.raster import Array
from gpool_cli.report.colours import Scale


@dataclass(frozen=True)
class Legend:
    """What is said below pictures on one scale.

    Attributes:
        scale: Which value has the first colour, and which the last.
        nan: What is said of the cells that are NaN; empty where there are none.
        notes: What else there is to say.
    """

    scale: Scale
    nan: str
    notes: tuple[str, ...]

    @classmethod
    def of(cls, cells: Sequence[Array], said: Sequence[str]) -> Legend:
        """The legend of pictures.

        Args:
            cells: What is shown of each.
            said: What there is to say of each; the same is said once.
        """
        nan = sum(int(np.count_nonzero(np.isnan(values))) for values in cells)
        infinite = sum(int(np.count_nonzero(np.isinf(values))) for values in cells)
        notes = tuple(dict.fromkeys(said))
        if infinite:
            notes += (f"{count_text(infinite, 'cell')} infinite",)
        return cls(Scale.of(*cells), f"NaN: {count_text(nan, 'cell')}" if nan else "", notes)

    @property
    def ends(self) -> tuple[str, ...]:
        """The values at both ends of the scale; or one text, where it has no length."""
        low, high = self.scale.low, self.scale.high
        if math.isnan(low):
            return ("no finite value",)
        return (
            (f"all {number_text(low)}",) if low == high else (number_text(low), number_text(high))
        )
