"""From the blocks of one map to its pooled values, part by part and in a fixed order.

A part of a batch that lies map after map is finished when it has been read: its rows are a piece
of the result, and what memory holds stays bounded whatever the length of the batch. The parts of
any other array are merged, in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gpool_cli import pulse
from gpool_cli.batch.counting import Beside, Counting
from gpool_cli.batch.tails import joined_parts
from gpool_cli.errors import InputError
from gpool_cli.formats.interface import Array, cut_parts
from gpool_cli.layout import Layout, size_of
from gpool_cli.model import ArrayInfo, Block, Part
from gpool_cli.packing import Packing
from gpool_cli.poolings import is_companion, keeps_units, load_pooling
from gpool_cli.poolings.cells import grid_shape, region_of
from gpool_cli.poolings.interface import Grid, Pooling
from gpool_cli.poolings.kernels import cells_stand_alone
from gpool_cli.poolings.normalize import Norm
from gpool_cli.poolings.state import State
from gpool_cli.recipe import PoolingSpec, Recipe

Blocks = Iterator[tuple[Block, Array]]
Read = Callable[[], Blocks]
"""Gives the same blocks each time; it is called more than once for poolings that repeat."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Pooled values of some maps of an array.

    Attributes:
        values: One array per pooling, in the shape that is written.
        axes: One letter per axis of the values.
        omitted: How many NaN were left out.
        masked: How many other values were left out.
        empty: In how many channels no value counts.
        clamped: How many values each pooling took as another.
        start: The first row, where the piece is some rows of a batch.
        whole: This is all there is.
    """

    values: tuple[Array, ...]
    axes: str
    omitted: int
    masked: int = 0
    empty: int = 0
    clamped: tuple[int, ...] = ()
    start: int = 0
    whole: bool = True


@dataclass(frozen=True, eq=False)
class Partial:
    """What is known of a map after one of its parts.

    Attributes:
        state: The state of its poolings.
        omitted: How many NaN were left out.
        masked: How many other values were left out.
    """

    state: State
    omitted: int
    masked: int = 0


class MapJob:
    """The pooling of one array: its parts, in any process, and what they come to.

    Attributes:
        parts: What one worker does at a time.
        by_rows: A part is some rows of a batch, and finished when it has been read.
        cells: How many there are: the channels of all its maps.
        cells_stand_alone: A cell has the same bits whatever is in a block beside it.
        cell_bytes: What memory a cell takes while the array is pooled.
        repeats: Blocks may have to be read more than once.
        at_once: The array is one worker's: it has one part, or parts that do not merge.

    Args:
        info: The array's shape and dtype.
        layout: The meaning of its axes.
        recipe: What to compute, and how.
    """

    def __init__(self, info: ArrayInfo, layout: Layout, recipe: Recipe) -> None:
        assert info.dtype is not None
        self._info, self._layout, self._recipe = info, layout, recipe
        weighted = recipe.weights is not None
        self._poolings = [load_pooling(spec, weighted) for spec in recipe.poolings]
        self._memory = layout.reversed() if info.fortran else layout
        positions = any(pooling.tail == "positions" for pooling in self._poolings)
        self._counting = Counting(info, self._memory, recipe, positions)
        self._norm = _norm_of(recipe, self._memory)
        self._dtype = np.dtype(recipe.dtype) if recipe.dtype is not None else None
        self._exact = self._dtype is not None and self._dtype == np.float64
        self.cells_stand_alone = cells_stand_alone(self._counting.dtype, self._exact)
        self.parts = cut_parts(info)
        self.cells = size_of(grid_shape(info.memory_shape, self._memory))
        first_out = layout.output_axes(recipe.shape)[0]
        along = self._memory.axes[self.parts[0].axis]
        self.by_rows = len(self.parts) > 1 and along == "N" == first_out
        self.cell_bytes = sum(pooling.cell_bytes for pooling in self._poolings)
        self.repeats = any(pooling.repeats for pooling in self._poolings)
        self.at_once = len(self.parts) == 1 or (self.repeats and not self.by_rows)

    def pool_part(self, read: Read, part: Part, beside: Beside | None = None) -> Piece | Partial:
        """Pool one part: some finished rows of a batch, or what is known after it.

        Args:
            read: Gives the blocks of the part.
            part: One of the parts of the array.
            beside: Its mask and weights.

        Raises:
            InputError: The blocks can't be read, NaN is an error, or a result does not fit.
        """
        rows = part if self.by_rows else None
        known = self._take_in(read, rows, beside)
        return self._finish(known, rows) if rows is not None else known

    def pool_at_once(self, read: Read, beside: Beside | None = None) -> Piece:
        """Pool the whole array, however many parts it has.

        Takes and raises what `pool_part` does.
        """
        return self._finish(self._take_in(read, None, beside), None)

    def _take_in(self, read: Read, rows: Part | None, beside: Beside | None) -> Partial:
        """What is known after the whole array, or some of its rows."""
        shape = self._info.memory_shape
        state = State(self._poolings, self._grid(shape if rows is None else rows.of(shape)))
        known = self._see(state, read(), rows, beside)
        while self.repeats and state.again():
            self._see(state, read(), rows, beside)
        return known

    def _see(
        self, state: State, blocks: Blocks, rows: Part | None, beside: Beside | None
    ) -> Partial:
        """Take blocks into a state, and count what was left out."""
        omitted = masked = 0
        pulse.read()
        for block, values in blocks:
            pulse.work()
            counted = self._counting.count(block, values, beside)
            omitted += counted.nan
            masked += counted.masked
            if counted.cells is not None:
                state.update(region_of(_within(block, rows), self._memory), counted.cells)
            pulse.read()
        pulse.work()
        return Partial(state, omitted, masked)

    def join(self, parts: Iterable[Piece | Partial]) -> Iterator[Piece]:
        """Put what the parts gave together, in their order."""
        total: Partial | None = None
        for part in parts:
            if isinstance(part, Piece):
                yield part
            elif total is None:
                total = part
            else:
                total.state.merge(part.state)
                total = Partial(
                    total.state, total.omitted + part.omitted, total.masked + part.masked
                )
        if total is not None:
            yield self._finish(total, None)

    def _finish(self, known: Partial, rows: Part | None) -> Piece:
        """The pooled values of a state, in the order of the output's axes."""
        shape = self._info.shape
        if rows is not None:
            shape = rows.of(self._info.memory_shape)
            shape = shape[::-1] if self._info.fortran else shape
        values = tuple(
            self._with_tail(pooling, self._finished(known.state, pooling), shape)
            for pooling in self._poolings
        )
        axes = self._layout.output_axes(self._recipe.shape)
        if self._recipe.batched and "N" not in axes:
            values, axes = tuple(array[np.newaxis] for array in values), "N" + axes
        start = rows.first if rows is not None else 0
        empty = int(np.count_nonzero(known.state.empty))
        whole = rows is None
        clamped = tuple(known.state.clamped(pooling) for pooling in self._poolings)
        return Piece(values, axes, known.omitted, known.masked, empty, clamped, start, whole)

    def _finished(self, state: State, pooling: Pooling) -> Array:
        """What one pooling makes of a state, in the dtype that the user gets."""
        own = pooling.result_dtype(self._counting.meant)
        if pooling.companion:
            return state.finish(pooling, own)
        if self._norm is not None:
            own = np.result_type(own, np.float32)
        dtype = self._dtype if self._dtype is not None else own
        if dtype.kind != "f":
            _refuse_empty(int(np.count_nonzero(state.empty)), dtype)
        return state.finish(pooling, dtype, self._norm)

    def _with_tail(self, pooling: Pooling, values: Array, shape: Sequence[int]) -> Array:
        """Values in the order of the output's axes, whether a cell has one or several."""
        if not pooling.tail:
            return self._arrange(values, shape)
        each = [self._arrange(values[..., i], shape) for i in range(values.shape[-1])]
        return joined_parts(pooling.tail, each, self._layout.output_axes(self._recipe.shape))

    def _grid(self, shape: tuple[int, ...]) -> Grid:
        pooled = tuple(shape[i] for i in self._memory.pooled)
        kept, dtype = grid_shape(shape, self._memory), self._counting.dtype
        return Grid(kept, dtype, self._exact, pooled, self._info.fortran)

    def _arrange(self, values: Array, shape: Sequence[int]) -> Array:
        """Pooled values in the order of the output's axes, the pooled ones kept with length 1.

        Args:
            values: One axis per kept letter, in the order of memory.
            shape: The shape they were pooled from, as the user sees it.
        """
        style = self._recipe.shape
        have = [self._memory.axes[i] for i in self._memory.kept]
        order: list[Any] = [have.index(c) for c in self._layout.output_axes(style) if c in have]
        moved = values.transpose(order) if order else values
        return np.ascontiguousarray(moved.reshape(self._layout.output_shape(shape, style)))


def job_for(info: ArrayInfo, layout: Layout, recipe: Recipe) -> MapJob:
    """The pooling of an array; arrays that are alike but for what it does not ask for have one."""
    return _job_for(info.shape, info.dtype, info.fortran, info.chunks, info.packing, layout, recipe)


@lru_cache(maxsize=64)
def _job_for(
    shape: tuple[int, ...],
    dtype: np.dtype[Any] | None,
    fortran: bool,
    chunks: tuple[int, ...] | None,
    packing: Packing | None,
    layout: Layout,
    recipe: Recipe,
) -> MapJob:
    info = ArrayInfo("", shape, dtype, fortran=fortran, chunks=chunks, packing=packing)
    return MapJob(info, layout, recipe)


def _within(block: Block, rows: Part | None) -> Block:
    """A block as it stands in its part."""
    if rows is None:
        return block
    start = list(block.start)
    start[rows.axis] -= rows.first
    return Block(tuple(start), block.shape)


def _refuse_empty(count: int, dtype: np.dtype[Any]) -> None:
    """Refuse channels that have no value in a dtype that has no NaN to say so."""
    if count:
        channels = "a channel" if count == 1 else f"{count:,} channels"
        raise InputError(
            f"has {channels} without any valid value, and {dtype.name} has no NaN for that",
            "ask for --dtype float32 or float64",
        )


def is_normalized(recipe: Recipe, spec: PoolingSpec) -> bool:
    """Whether the values of a pooling are vectors that are divided by their lengths."""
    return recipe.normalize != "none" and not is_companion(spec)


def is_packed(recipe: Recipe, spec: PoolingSpec, packing: Packing | None) -> bool:
    """Whether the values of a pooling are packed as those of a packed map are."""
    if packing is None or recipe.unpack or recipe.normalize != "none":
        return False
    return keeps_units(spec, packing)


def _norm_of(recipe: Recipe, memory: Layout) -> Norm | None:
    """How pooled values are normalized, which have the kept axes in the order of memory."""
    if recipe.normalize == "none":
        return None
    kept = [memory.axes[i] for i in memory.kept]
    return Norm(recipe.normalize, (kept.index("C"),) if "C" in kept else ())
