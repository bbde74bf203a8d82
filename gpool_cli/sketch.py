"""What a result looks like, in few numbers: for a picture of it, and for what its channels say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gpool_cli.model import Result

Array = npt.NDArray[Any]

_MOST_CELLS = 64


@dataclass(frozen=True, eq=False)
class Sketch:
    """What a result looks like, in few numbers.

    Attributes:
        cells: The channels in order, at most 64 numbers, float64: each is the mean of neighbours,
            and of all maps of a batch.
        zeros: In how many of its maps each channel is 0, shape (channels,).
        maps: How many maps it has.
    """

    cells: npt.NDArray[np.float64]
    zeros: Array
    maps: int


class Sketcher:
    """Gathers the sketch of one result, piece by piece."""

    def __init__(self) -> None:
        self._sums: Array | None = None
        self._zeros: Array | None = None
        self._maps = 0

    def take_in(self, piece: Result) -> None:
        """Add the next piece of the result."""
        rows = channel_rows(piece)
        with np.errstate(all="ignore"):
            sums = np.add.reduce(rows, axis=0, dtype=np.float64)
        zeros = rows[0] == 0 if len(rows) == 1 else np.count_nonzero(rows == 0, axis=0)
        if self._sums is None or self._zeros is None:
            self._sums, self._zeros = sums, zeros
        else:
            with np.errstate(all="ignore"):
                self._sums += sums
            self._zeros = self._zeros + zeros.astype(np.int64)
        self._maps += len(rows)

    def sketch(self) -> Sketch:
        """What was gathered, when all pieces have passed; there was at least one."""
        assert self._sums is not None
        assert self._zeros is not None
        width = self._sums.size
        count = min(width, _MOST_CELLS)
        edges = np.arange(count + 1) * width // count
        lengths = np.diff(edges)
        with np.errstate(all="ignore"):
            # Divided first: a sum of large means may be infinite where their mean is not.
            means = self._sums / self._maps
            cells = np.add.reduceat(means / lengths.repeat(lengths), edges[:-1])
        return Sketch(cells, self._zeros, self._maps)


def channel_rows(result: Result) -> Array:
    """The values of a result, or a piece of one, as a row of channels for every map.

    Returns:
        An array of shape (maps, channels); a layout without channels gives one.
    """
    channel = result.axes.find("C")
    values = result.values
    if 0 <= channel < values.ndim - 1:
        values = np.moveaxis(values, channel, -1)
    return values.reshape(-1, values.shape[-1] if channel >= 0 else 1)
