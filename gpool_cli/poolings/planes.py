"""The cells of a picture: what is seen of a map's channels, gathered block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gpool_cli.poolings.interface import Array, Floats
from gpool_cli.raster import counts, gathered

Over = Literal["mean", "max"]
OVER: tuple[Over, ...] = ("mean", "max")


@dataclass(frozen=True)
class Extent:
    """How large a map is, and how far it is reduced.

    Attributes:
        rows: Values down.
        columns: Values across.
        channels: Channels.
        step: How many values make a side of a cell.
    """

    rows: int
    columns: int
    channels: int
    step: int


class Planes:
    """One plane of cells for each of some channels, or one for all channels together.

    A cell is the mean of the values that belong to it; the maximum of them where channels are
    put together by their maximum. Both can be taken in any parts, and memory holds cells alone.

    Attributes:
        how: What a cell is of the values that belong to it.

    Args:
        extent: How large the map is.
        channels: Which channels, by number; None for all together.
        over: What is made of all channels together.
    """

    def __init__(self, extent: Extent, channels: tuple[int, ...] | None, over: Over) -> None:
        self._extent, self._channels = extent, channels
        self.how: Over = over if channels is None else "mean"
        down, across = -(-extent.rows // extent.step), -(-extent.columns // extent.step)
        shape = down, across, 1 if channels is None else len(channels)
        self._cells: Floats = np.full(shape, 0.0 if self.how == "mean" else -np.inf)

    def update(self, start: tuple[int, int, int], values: Array) -> None:
        """Take in a part of the map.

        Args:
            start: Its first row, column and channel.
            values: Shape (rows, columns, channels).
        """
        ufunc = np.add if self.how == "mean" else np.maximum
        row, column, channel = start
        step = self._extent.step
        with np.errstate(all="ignore"):
            if self._channels is None:
                wanted = ufunc.reduce(values, axis=2, dtype=np.float64, keepdims=True)
                planes = [0]
            else:
                ours = range(channel, channel + values.shape[2])
                planes = [i for i, number in enumerate(self._channels) if number in ours]
                wanted = values[:, :, [self._channels[i] - channel for i in planes]]
            part = gathered(ufunc, wanted.astype(np.float64), step, row, column)
            down = slice(row // step, row // step + part.shape[0])
            across = slice(column // step, column // step + part.shape[1])
            before = self._cells[down, across][:, :, planes]
            self._cells[down, across, planes] = ufunc(before, part)

    def finish(self) -> Floats:
        """What is seen, shape (planes, rows of cells, columns of cells)."""
        cells = self._cells
        if self.how == "mean":
            extent = self._extent
            each = counts(extent.rows, extent.columns, extent.step)
            if self._channels is None:
                each = each * extent.channels
            cells = cells / each[:, :, np.newaxis]
        return np.ascontiguousarray(cells.transpose(2, 0, 1))
