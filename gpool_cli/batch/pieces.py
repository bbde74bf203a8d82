"""From the blocks of one map to its pooled values, part by part and in a fixed order.

A part of a batch that lies map after map is finished when it has been read: its rows are a piece
of the result, and what memory holds stays bounded whatever the length of the batch. The parts of
any other array are merged, in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from gpool_cli import pulse
from gpool_cli.batch.kept import Kept
from gpool_cli.batch.tails import joined_parts
from gpool_cli.errors import InputError
from gpool_cli.formats.interface import Array, cut_parts
from gpool_cli.layout import Layout, size_of
from gpool_cli.model import ArrayInfo, Block, NanPolicy, Part, Recipe
from gpool_cli.poolings import load_pooling
from gpool_cli.poolings.cells import as_cells, grid_shape, region_of
from gpool_cli.poolings.interface import Cells, Grid, Pooling
from gpool_cli.poolings.kernels import cells_stand_alone
from gpool_cli.poolings.state import State

Blocks = Iterator[tuple[Block, Array]]
ReadParts = Callable[[Sequence[Part] | None], Blocks]
Read = Callable[[], Blocks]
"""Gives the same blocks each time; it is called more than once for poolings that repeat."""


@dataclass(frozen=True)
class Piece:
    """Pooled values of some maps of an array.

    Attributes:
        values: One array per pooling, in the shape that is written.
        axes: One letter per axis of the values.
        omitted: How many NaN were left out.
        start: The first row, where the piece is some rows of a batch.
        whole: This is all there is.
    """

    values: tuple[Array, ...]
    axes: str
    omitted: int
    start: int = 0
    whole: bool = True


@dataclass(frozen=True)
class Partial:
    """What is known of a map after one of its parts.

    Attributes:
        state: The state of its poolings.
        omitted: How many NaN were left out.
    """

    state: State
    omitted: int


class MapJob:
    """The pooling of one array: its parts, in any process, and what they come to.

    Attributes:
        parts: What one worker does at a time.
        by_rows: A part is some rows of a batch, and finished when it has been read.
        cells: How many there are: the channels of all its maps.
        cells_stand_alone: A cell has the same bits whatever is in a block beside it.
        cell_bytes: What memory a cell takes while the array is pooled.
        repeats: Blocks may have to be read more than once.
        at_once: The parts of the array do not merge: it is one worker's.

    Args:
        info: The array's shape and dtype.
        layout: The meaning of its axes.
        recipe: What to compute, and how.
    """

    def __init__(self, info: ArrayInfo, layout: Layout, recipe: Recipe) -> None:
        assert info.dtype is not None
        self._info, self._layout, self._recipe = info, layout, recipe
        self._poolings = [load_pooling(spec) for spec in recipe.poolings]
        self._memory = layout.reversed() if info.fortran else layout
        self._native = info.dtype.newbyteorder("=")
        self._dtype = np.dtype(recipe.dtype) if recipe.dtype is not None else None
        self._exact = self._dtype is not None and self._dtype == np.float64
        self.cells_stand_alone = cells_stand_alone(self._native, self._exact)
        self.parts = cut_parts(info)
        self.cells = size_of(grid_shape(info.memory_shape, self._memory))
        first_out = layout.output_axes(recipe.shape)[0]
        along = self._memory.axes[self.parts[0].axis]
        self.by_rows = len(self.parts) > 1 and along == "N" == first_out
        self.cell_bytes = sum(pooling.cell_bytes for pooling in self._poolings)
        self.repeats = any(pooling.repeats for pooling in self._poolings)
        self.at_once = self.repeats and not self.by_rows

    def pool_part(self, read: Read, part: Part) -> Piece | Partial:
        """Pool one part: some finished rows of a batch, or what is known after it.

        Args:
            read: Gives the blocks of the part.
            part: One of the parts of the array.

        Raises:
            InputError: The blocks can't be read, NaN is an error, or a result does not fit.
        """
        rows = part if self.by_rows else None
        known = self._take_in(read, rows)
        return self._finish(known, rows) if rows is not None else known

    def pool_at_once(self, read: Read) -> Piece:
        """Pool the whole array, however many parts it has.

        Takes and raises what `pool_part` does.
        """
        return self._finish(self._take_in(read, None), None)

    def _take_in(self, read: Read, rows: Part | None) -> Partial:
        """What is known after the whole array, or some of its rows."""
        shape = self._info.memory_shape
        state = State(self._poolings, self._grid(shape if rows is None else rows.of(shape)))
        omitted = self._see(state, read(), rows)
        while self.repeats and state.again():
            self._see(state, read(), rows)
        return Partial(state, omitted)

    def _see(self, state: State, blocks: Blocks, rows: Part | None) -> int:
        """Take blocks into a state, and say how many NaN were left out."""
        omitted = 0
        pulse.read()
        for block, values in blocks:
            pulse.work()
            cells = Cells(as_cells(values, self._memory))
            if self._recipe.nan != "propagate" and self._native.kind == "f":
                cells = _without_nan(cells, self._recipe.nan)
                omitted += 0 if cells.missing is None else int(np.count_nonzero(cells.missing))
            start, extent = self._on_pooled_axes(block)
            cells = replace(cells, start=start, extent=extent)
            state.update(region_of(_within(block, rows), self._memory), cells)
            pulse.read()
        pulse.work()
        return omitted

    def _on_pooled_axes(self, block: Block) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Where a block begins on the pooled axes, and how long it is there."""
        pooled = self._memory.pooled
        return tuple(block.start[i] for i in pooled), tuple(block.shape[i] for i in pooled)

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
                total = Partial(total.state, total.omitted + part.omitted)
        if total is not None:
            yield self._finish(total, None)

    def _finish(self, known: Partial, rows: Part | None) -> Piece:
        """The pooled values of a state, in the order of the output's axes."""
        shape = self._info.shape
        if rows is not None:
            shape = rows.of(self._info.memory_shape)
            shape = shape[::-1] if self._info.fortran else shape
        found = ((p, known.state.finish(p, self._dtype)) for p in self._poolings)
        values = tuple(self._with_tail(pooling, array, shape) for pooling, array in found)
        axes = self._layout.output_axes(self._recipe.shape)
        if self._recipe.batched and "N" not in axes:
            values, axes = tuple(array[np.newaxis] for array in values), "N" + axes
        start = rows.first if rows is not None else 0
        return Piece(values, axes, known.omitted, start, whole=rows is None)

    def _with_tail(self, pooling: Pooling, values: Array, shape: Sequence[int]) -> Array:
        """Values in the order of the output's axes, whether a cell has one or several."""
        if not pooling.tail:
            return self._arrange(values, shape)
        each = [self._arrange(values[..., i], shape) for i in range(values.shape[-1])]
        return joined_parts(pooling.tail, each, self._layout.output_axes(self._recipe.shape))

    def _grid(self, shape: tuple[int, ...]) -> Grid:
        pooled = tuple(shape[i] for i in self._memory.pooled)
        kept = grid_shape(shape, self._memory)
        return Grid(kept, self._native, self._exact, pooled, self._info.fortran)

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


@lru_cache(maxsize=64)
def _job_for(info: ArrayInfo, layout: Layout, recipe: Recipe) -> MapJob:
    return MapJob(info, layout, recipe)


def job_for(info: ArrayInfo, layout: Layout, recipe: Recipe) -> MapJob:
    """The pooling of an array; arrays that differ only by name have one."""
    return _job_for(replace(info, dataset="", place=None), layout, recipe)


def pool_pieces(
    read: ReadParts, info: ArrayInfo, layout: Layout, recipe: Recipe, once: bool = False
) -> Iterator[Piece]:
    """Pool one array in this process.

    Args:
        read: Gives the blocks of some parts, or all, in the axis order of memory, part after part.
        info: Its shape and dtype.
        layout: The meaning of its axes.
        recipe: What to compute, and how.
        once: All blocks can be read, and only once.

    Yields:
        Its pooled values: whole, or row by row in order.

    Raises:
        InputError: The blocks can't be read, NaN is an error, or a result does not fit its dtype.
    """
    job = job_for(info, layout, recipe)
    if not job.at_once:
        yield from job.join(job.pool_part(part, which) for which, part in _reads(job, read, once))
    elif once:
        with Kept(read(None)) as kept:
            yield job.pool_at_once(kept.read)
    else:
        yield job.pool_at_once(partial(read, None))


def _reads(job: MapJob, read: ReadParts, once: bool) -> Iterator[tuple[Part, Read]]:
    """What gives the blocks of each part."""
    if job.repeats and not once:
        yield from ((part, partial(read, [part])) for part in job.parts)
        return
    for part, blocks in _by_part(read(None), job.parts):
        if job.repeats:
            with Kept(blocks) as kept:
                yield part, kept.read
        else:
            yield part, partial(iter, blocks)


def pool_blocks(
    read: ReadParts, info: ArrayInfo, layout: Layout, recipe: Recipe
) -> tuple[list[Array], str, int]:
    """Pool one array into one result per pooling.

    Takes what `pool_pieces` takes.

    Returns:
        The pooled values in the order of the poolings; the letters of their axes; and how many
        NaN were left out.

    Raises:
        InputError: As `pool_pieces` does.
    """
    pieces = list(pool_pieces(read, info, layout, recipe))
    values = [np.concatenate(rows) for rows in zip(*(p.values for p in pieces), strict=True)]
    return values, pieces[0].axes, sum(piece.omitted for piece in pieces)


def _by_part(blocks: Blocks, parts: Sequence[Part]) -> Iterator[tuple[Part, Blocks]]:
    """Group blocks that come part after part; each group is read before the next is asked for."""
    ahead = next(blocks, None)

    def within(part: Part) -> Blocks:
        nonlocal ahead
        while ahead is not None and ahead[0].start[part.axis] < part.last:
            yield ahead
            ahead = next(blocks, None)

    for part in parts:
        yield part, within(part)


def _within(block: Block, rows: Part | None) -> Block:
    """A block as it stands in its part."""
    if rows is None:
        return block
    start = list(block.start)
    start[rows.axis] -= rows.first
    return Block(tuple(start), block.shape)


def _without_nan(cells: Cells, nan: NanPolicy) -> Cells:
    missing = np.isnan(cells.values)
    if not missing.any():
        return cells
    if nan == "error":
        raise InputError("holds NaN", "leave NaN out with --nan omit, or let it through")
    return Cells(cells.values, missing)
