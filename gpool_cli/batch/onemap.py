"""One map of an array, read without its fellows in a batch and without what is not looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gpool_cli import pulse
from gpool_cli.batch.pieces import Blocks, job_for
from gpool_cli.errors import InputError
from gpool_cli.formats.interface import Array, Reader, cut_parts
from gpool_cli.layout import Layout
from gpool_cli.model import STDIN, ArrayInfo, Block
from gpool_cli.quantities import count_text
from gpool_cli.recipe import Recipe


class OneMap:
    """One map of an array, read without its fellows in a batch.

    Attributes:
        info: The array.
        layout: The meaning of its axes.
        maps: How many maps it has.
        size: The rows, columns and channels of a map.

    Args:
        index: Which map of a batch.
    """

    def __init__(self, reader: Reader, info: ArrayInfo, layout: Layout, index: int) -> None:
        self.info, self.layout = info, layout
        self._reader, self._index = reader, index
        self._memory = layout.reversed() if info.fortran else layout
        self.maps = 1 if layout.batch is None else info.shape[layout.batch]
        if index >= self.maps:
            raise InputError(
                f"has {count_text(self.maps, 'map')}, and no map {index}",
                f"they are numbered from 0 to {self.maps - 1}: choose another --index",
            )
        spatial = _as_rows_and_columns([layout.axes[i] for i in layout.pooled])
        self._axes = [self._memory.axes.find(letter) for letter in (*spatial, "C")]
        rows, columns, channels = (1 if i < 0 else info.memory_shape[i] for i in self._axes)
        self.size = rows, columns, channels

    def pooled(self, recipe: Recipe) -> Array:
        """The pooled values of its channels, in their order.

        Raises:
            InputError: The array can be read only once.
        """
        if self._reader.path == STDIN:
            raise InputError(
                "a pipe can't be read twice, as --top does", "save it, or choose a --channel"
            )
        batch = self.layout.batch
        shape = tuple(n for i, n in enumerate(self.info.shape) if i != batch)
        alone = replace(self.info, shape=shape, chunks=None)
        layout = Layout(self.layout.axes.replace("N", ""), self.layout.origin)
        piece = job_for(alone, layout, recipe).pool_at_once(self._blocks)
        return piece.values[0].ravel()

    def boxes(self, channels: Sequence[int] | None) -> Iterator[tuple[tuple[int, int, int], Array]]:
        """Its parts: the first row, column and channel, and values of shape (H, W, C)."""
        batch = self._memory.batch
        axes = [i - (batch is not None and i > batch) for i in self._axes]
        present = [i for i in axes if i >= 0]
        missing = tuple(place for place, i in enumerate(axes) if i < 0)
        for block, values in self._blocks(channels):
            row, column, channel = (0 if i < 0 else block.start[i] for i in axes)
            boxed = np.expand_dims(values.transpose(present), missing)
            yield (row, column, channel), boxed

    def _blocks(self, channels: Sequence[int] | None = None) -> Blocks:
        """Its blocks in the axis order of memory, without the batch axis."""
        batch = self._memory.batch
        pulse.read()
        for block, values in self._blocks_near(channels):
            pulse.work()
            if batch is None:
                yield block, values
            elif 0 <= self._index - block.start[batch] < block.shape[batch]:
                here = (slice(None),) * batch + (self._index - block.start[batch],)
                start, shape = _without(block.start, batch), _without(block.shape, batch)
                yield Block(start, shape), np.ascontiguousarray(values[here])
            pulse.read()
        pulse.work()

    def _blocks_near(self, channels: Sequence[int] | None) -> Blocks:
        """Blocks that have any of the map, as far as the reader need not read all."""
        parts = cut_parts(self.info)
        along = self._memory.axes[parts.axis]
        wanted = {"N": [self._index], "C": channels}.get(along)
        if self._reader.sequential or wanted is None:
            yield from self._reader.blocks(self.info)
            return
        for number in sorted({row // parts.step for row in wanted}):
            yield from self._reader.blocks(self.info, [parts[number]])


def _without(values: tuple[int, ...], place: int) -> tuple[int, ...]:
    return values[:place] + values[place + 1 :]


def _as_rows_and_columns(letters: Sequence[str]) -> tuple[str, str]:
    """Which of the pooled axes goes down and which across; ``-`` where there is none.

    Raises:
        InputError: A picture has two axes, and these are not.
    """
    if not 1 <= len(letters) <= 2:
        said = " and ".join(letters) or "none"
        raise InputError(
            f"has {len(letters)} axes to be seen ({said}), and a picture has 2",
            "save one slice of it, and say what its axes are with --layout",
        )
    if len(letters) == 1:
        return "-", letters[0]
    first, second = letters
    return (second, first) if first in "WX" else (first, second)
