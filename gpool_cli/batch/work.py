"""The work of one task: open a file, choose its maps, pool them block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gpool_cli.batch.select import select
from gpool_cli.errors import GpoolError, InputError
from gpool_cli.formats.interface import Array, Reader
from gpool_cli.formats.opening import format_of, open_reader
from gpool_cli.layout import Layout, layout_doubt
from gpool_cli.model import (
    STDIN,
    ArrayInfo,
    Block,
    Failed,
    FileDone,
    InputFile,
    NanPolicy,
    Outcome,
    Recipe,
    Result,
    Skipped,
    Task,
    Warned,
)
from gpool_cli.poolings import load_pooling
from gpool_cli.poolings.cells import as_cells, grid_shape, region_of
from gpool_cli.poolings.interface import Cells, Grid, Pooling
from gpool_cli.poolings.state import State


def pool_file(task: Task) -> Iterator[Outcome]:
    """Pool every chosen map of one file; whatever is wrong with it is an outcome, not an error.

    This is the file boundary: one bad file must not cost the rest, whatever it is that a library
    raises on it.

    Yields:
        Results, skips, warnings and failures as they come, and a `FileDone` at the end.
    """
    done = _Counter()
    try:
        with open_reader(task.file.path) as reader:
            for outcome in _pool_arrays(task, reader):
                done.count(outcome)
                yield outcome
    except GpoolError as error:
        yield done.failed(Failed(task.file, "", error.message, error.hint))
    except OSError as error:
        yield done.failed(Failed(task.file, "", f"can't be read: {error.strerror or error}"))
    except MemoryError:
        yield done.failed(Failed(task.file, "", "does not fit into memory"))
    except Exception as error:
        said = f"can't be read: {type(error).__name__}: {error}"
        yield done.failed(Failed(task.file, "", said))
    yield FileDone(task.file, done.nbytes, done.maps, done.any_failed)


class _Counter:
    """What a file has come to so far."""

    def __init__(self) -> None:
        self.nbytes = 0
        self.maps = 0
        self.any_failed = False
        self._last: tuple[str, tuple[int, ...]] | None = None

    def count(self, outcome: Outcome) -> None:
        if isinstance(outcome, Failed):
            self.any_failed = True
        elif isinstance(outcome, Result):
            here = outcome.info.dataset, outcome.info.shape
            if here != self._last:
                self._last = here
                self.maps += 1
                self.nbytes += outcome.info.nbytes

    def failed(self, failure: Failed) -> Failed:
        self.any_failed = True
        return failure


def _pool_arrays(task: Task, reader: Reader) -> Iterator[Outcome]:
    container = format_of(task.file.path).container
    poolings = [load_pooling(spec) for spec in task.recipe.poolings]
    for infos in _listings(task.file, reader):
        selection = select(infos, task.file.keys, task.recipe.layout, container)
        for info, reason in selection.skipped:
            yield Skipped(task.file, info.dataset, reason, info)
        for info, error in selection.failed:
            yield Failed(task.file, info.dataset, error.message, error.hint)
        if not selection.maps and not selection.failed:
            yield _nothing_in(task.file, infos)
        for info, layout in selection.maps:
            yield from _pool_or_fail(task, reader, info, layout, poolings, len(selection.maps))


def _listings(file: InputFile, reader: Reader) -> Iterator[Sequence[ArrayInfo]]:
    """All arrays of a file at once; those of a pipe, which can't go back, one at a time."""
    if file.path == STDIN:
        for info in reader.arrays():
            yield [info]
    else:
        yield list(reader.arrays())


def _nothing_in(file: InputFile, infos: Sequence[ArrayInfo]) -> Failed | Skipped:
    """A file with nothing to pool: a failure where the user named it, else one more skip."""
    message = "holds no feature map" if infos else "holds no arrays"
    if file.named:
        return Failed(file, "", message, "see what is in it with: gpool info, choose with --key")
    return Skipped(file, "", message)


def _pool_or_fail(
    task: Task,
    reader: Reader,
    info: ArrayInfo,
    layout: Layout,
    poolings: Sequence[Pooling],
    parts: int,
) -> Iterator[Outcome]:
    doubt = layout_doubt(layout, info.shape)
    if doubt and task.strict:
        yield Failed(task.file, info.dataset, "may have another layout", doubt)
        return
    if doubt:
        yield Warned(task.file, info.dataset, "layout", doubt)
    try:
        yield from _pool_map(task, reader, info, layout, poolings, parts)
    except GpoolError as error:
        yield Failed(task.file, info.dataset, error.message, error.hint)


def _pool_map(
    task: Task,
    reader: Reader,
    info: ArrayInfo,
    layout: Layout,
    poolings: Sequence[Pooling],
    parts: int,
) -> list[Result]:
    values, axes, omitted = pool_blocks(reader.blocks(info), info, layout, poolings, task.recipe)
    return [
        Result(task.file, info, layout, spec, array, axes, omitted if i == 0 else 0, parts)
        for i, (spec, array) in enumerate(zip(task.recipe.poolings, values, strict=True))
    ]


def pool_blocks(
    blocks: Iterator[tuple[Block, Array]],
    info: ArrayInfo,
    layout: Layout,
    poolings: Sequence[Pooling],
    recipe: Recipe,
) -> tuple[list[Array], str, int]:
    """Pool one map.

    Args:
        blocks: Its values, in the axis order of memory.
        info: Its shape and dtype.
        layout: The meaning of its axes.
        poolings: What to compute.
        recipe: How.

    Returns:
        The pooled values in the order of the poolings; the letters of their axes; and how many
        NaN were left out.

    Raises:
        InputError: The blocks can't be read, NaN is an error, or a result does not fit its dtype.
    """
    assert info.dtype is not None
    memory = layout.reversed() if info.fortran else layout
    shape = info.shape[::-1] if info.fortran else info.shape
    dtype = np.dtype(recipe.dtype) if recipe.dtype is not None else None
    exact = dtype is not None and dtype == np.float64
    grid = Grid(grid_shape(shape, memory), info.dtype.newbyteorder("="), exact)
    state = State(poolings, grid)
    omitted = 0
    for block, values in blocks:
        cells = Cells(as_cells(values, memory))
        if recipe.nan != "propagate" and grid.dtype.kind == "f":
            cells = _without_nan(cells, recipe.nan)
            omitted += 0 if cells.missing is None else int(np.count_nonzero(cells.missing))
        state.update(region_of(block, memory), cells)
    arranged = [
        _arrange(state.finish(pooling, dtype), memory, layout, info.shape, recipe)
        for pooling in poolings
    ]
    return [values for values, _ in arranged], arranged[0][1], omitted


def _without_nan(cells: Cells, nan: NanPolicy) -> Cells:
    missing = np.isnan(cells.values)
    if not missing.any():
        return cells
    if nan == "error":
        raise InputError("holds NaN", "leave NaN out with --nan omit, or let it through")
    return Cells(cells.values, missing)


def _arrange(
    values: Array, memory: Layout, layout: Layout, shape: Sequence[int], recipe: Recipe
) -> tuple[Array, str]:
    """Pooled values in the order of the output's axes, the pooled ones kept with length 1.

    Args:
        values: One axis per kept letter, in the order of memory.
        memory: The layout in the order of memory.
        layout: The layout as the user sees it.
        shape: The array's shape as the user sees it.
        recipe: The style of the output.
    """
    axes = layout.output_axes(recipe.shape)
    have = [memory.axes[i] for i in memory.kept]
    order: list[Any] = [have.index(letter) for letter in axes if letter in have]
    result = (values.transpose(order) if order else values).reshape(
        layout.output_shape(shape, recipe.shape)
    )
    if recipe.batched and "N" not in axes:
        result, axes = result[np.newaxis], "N" + axes
    return np.ascontiguousarray(result), axes
