"""How often the channels of the results are 0: those that always are say nothing, and are dead."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gpool_cli.sketch import Sketch

LABELS = (
    "never",
    "under 10 %",
    *(f"{tens}0 to {tens + 1}0 %" for tens in range(1, 9)),
    "90 % and more",
    "always",
)


class ZeroBins:
    """Counts for every channel in how many maps it is 0; widths that differ have no channels."""

    def __init__(self) -> None:
        self._counts: npt.NDArray[Any] | None = None
        self._maps = 0
        self._differ = False

    def take_in(self, sketch: Sketch) -> None:
        """Count the maps of a result."""
        if self._counts is None:
            self._counts = np.zeros(sketch.zeros.size, np.int64)
        if self._counts.size != sketch.zeros.size:
            self._differ = True
        if not self._differ:
            self._counts += sketch.zeros
            self._maps += sketch.maps

    def bins(self) -> list[int] | None:
        """How many channels belong to each of `LABELS`; None where the results share none."""
        if self._counts is None or self._differ:
            return None
        places = 1 + self._counts * 10 // self._maps
        places[self._counts == 0] = 0
        return [int(count) for count in np.bincount(places, minlength=len(LABELS))]
