"""How a map fits into the room for a picture: by whole cells, and with one step for both axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Box:
    """The room for a picture, in cells that are as wide as they are high."""

    width: int
    height: int

    def step(self, rows: int, columns: int) -> int:
        """How many values of a map that is too large make a side of a cell; 1 where it fits."""
        return max(1, -(-rows // self.height), -(-columns // self.width))

    def times(self, rows: int, columns: int) -> int:
        """How many cells a side of a value takes where there is room; at least 1."""
        return max(1, min(self.height // rows, self.width // columns))


def gathered(ufunc: np.ufunc, values: Array, step: int, row: int = 0, column: int = 0) -> Array:
    """What a function of two values makes of all that belong to one cell.

    Args:
        ufunc: ``np.add`` or ``np.maximum``.
        values: Part of a map, shape (rows, columns, ...).
        step: How many values make a side of a cell.
        row: Where the part begins in the map.
        column: The same for columns.

    Returns:
        One value for each cell that the part has any of, shape (rows, columns, ...).
    """
    for axis, first in ((0, row), (1, column)):
        edges = np.arange(-(first % step), values.shape[axis], step)
        values = ufunc.reduceat(values, np.maximum(edges, 0), axis=axis)
    return values


def counts(rows: int, columns: int, step: int) -> Floats:
    """How many values of a map belong to each cell; at the ends they may be fewer."""
    down, across = (
        np.minimum(step, length - np.arange(0, length, step)) for length in (rows, columns)
    )
    return np.multiply.outer(down, across).astype(np.float64)


def means(values: Array, step: int) -> Floats:
    """The mean of every cell of a map of shape (rows, columns)."""
    wide = np.asarray(values, np.float64)
    rows, columns = wide.shape
    with np.errstate(all="ignore"):
        cells: Floats = gathered(np.add, wide, step) / counts(rows, columns, step)
    return cells
