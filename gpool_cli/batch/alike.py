"""Small files that are alike: read side by side, pooled as one batch, answered as one.

A file costs some 200 us of Python when it goes the ordinary way, ten times what reading it takes.
Most trees hold maps of one shape: those that follow each other go together here. What comes of a
file is the same, bit for bit; what does not fit, or goes wrong, goes the ordinary way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np

from gpool_cli import pulse
from gpool_cli.batch.pieces import Piece, is_normalized, job_for
from gpool_cli.batch.select import select
from gpool_cli.batch.tails import axes_with_tail, names_of_parts
from gpool_cli.batch.work import pool_file
from gpool_cli.errors import InputError
from gpool_cli.formats.interface import Array
from gpool_cli.formats.npyalike import AlikeFiles, Pattern, is_npy, pattern_of
from gpool_cli.layout import Layout, layout_doubt
from gpool_cli.model import Alike, ArrayInfo, Block, Outcome, Result, Task
from gpool_cli.recipe import Recipe


@dataclass(frozen=True)
class _Kind:
    """What files have in common that go together: their pattern, layout, and its doubt."""

    pattern: Pattern
    layout: Layout
    doubt: str


def pool_together(tasks: Sequence[Task], share: int) -> Iterator[Outcome | Alike]:
    """Do what `pool_file` does for one task after the other.

    Args:
        tasks: Small files, of one recipe.
        share: The memory that the work on one of them may take.

    Yields:
        The same outcomes in the same order, those of files that are alike as one. Its files are
        left out: whoever gave the tasks has them.
    """
    files = AlikeFiles()
    place = 0
    while place < len(tasks):
        pulse.begin(place)
        answers, count = _next_answers(tasks, place, files, share)
        yield from answers
        place += count


def _next_answers(
    tasks: Sequence[Task], place: int, files: AlikeFiles, share: int
) -> tuple[Iterable[Outcome | Alike], int]:
    """The answers for some of the tasks from a place on, and for how many."""
    first = tasks[place]
    kind = _kind_of(first)
    blocks: list[_Block] = []
    count = 0
    while kind is not None:
        values = files.read(_paths(tasks, place + count), kind.pattern)
        if not len(values):
            break
        try:
            blocks.append(_pooled(values, kind, first.recipe))
        except Exception:
            # Each file for itself, and what is wrong with one is said of that one.
            if not blocks:
                each = _one_by_one(tasks, range(place, place + len(values)), share)
                return each, len(values)
            break
        count += len(values)
    if kind is None or not blocks:
        return pool_file(first, share), 1
    return [_joined(blocks, kind, first)], count


def _paths(tasks: Sequence[Task], first: int) -> Iterator[str]:
    """The paths of the tasks from one on, told by the pulse as they are asked for."""
    for place in range(first, len(tasks)):
        path = tasks[place].file.path
        if not is_npy(path):
            return
        pulse.begin(place)
        yield path


def _one_by_one(tasks: Sequence[Task], places: Iterable[int], share: int) -> Iterator[Outcome]:
    for place in places:
        pulse.begin(place)
        yield from pool_file(tasks[place], share)


def _kind_of(task: Task) -> _Kind | None:
    """The kind of a file; None where it goes the ordinary way."""
    if not task.recipe.batched or task.recipe.has_companions or task.access.view:
        return None
    try:
        pattern = pattern_of(task.file.path)
    except Exception:
        return None  # What is wrong with it is said there.
    return _kind(pattern, task.recipe.layout, task.strict) if pattern is not None else None


@lru_cache(maxsize=64)
def _kind(pattern: Pattern, layout: str | None, strict: bool) -> _Kind | None:
    for info, meaning in select([pattern.info], (), layout, container=False).maps:
        doubt = layout_doubt(meaning, info.shape)
        if meaning.batch is None and not (doubt and strict):
            return _Kind(pattern, meaning, doubt)
    return None


@dataclass(frozen=True)
class _Block:
    """What came of the files that were in memory together: a piece of a batch, a row for each."""

    piece: Piece
    omitted: tuple[int, ...]


def _pooled(values: Array, kind: _Kind, recipe: Recipe) -> _Block:
    """Pool the values of files as a batch.

    Raises:
        InputError: NaN is an error, or a result does not fit.
    """
    shape = values.shape
    info = ArrayInfo("", shape, values.dtype)
    job = job_for(info, Layout(f"N{kind.layout.axes}", kind.layout.origin), recipe)
    # A kernel that looks at what is beside a cell is given every file by itself.
    step = len(values) if job.cells_stand_alone else 1

    def read() -> Iterator[tuple[Block, Array]]:
        for first in range(0, len(values), step):
            start, extent = (first, *(0,) * (len(shape) - 1)), (step, *shape[1:])
            yield Block(start, extent), values[first : first + step]

    piece = job.pool_at_once(read)
    if piece.empty:
        raise InputError("has channels without a value, which are counted file by file")
    omitted = np.zeros(len(values), np.int64)
    if piece.omitted:
        omitted = np.count_nonzero(np.isnan(values.reshape(len(values), -1)), axis=1)
    return _Block(piece, tuple(omitted.tolist()))


def _joined(blocks: Sequence[_Block], kind: _Kind, first: Task) -> Alike:
    """One answer for all blocks of a kind."""
    columns = zip(*(block.piece.values for block in blocks), strict=True)
    results = tuple(
        Result(
            file=first.file,
            info=kind.pattern.info,
            layout=kind.layout,
            pooling=spec,
            values=np.concatenate(values) if len(values) > 1 else values[0],
            axes=axes_with_tail(spec, blocks[0].piece.axes),
            parts_of_value=names_of_parts(spec, kind.layout),
            omitted=sum(block.piece.omitted for block in blocks) if i == 0 else 0,
            clamped=sum(block.piece.clamped[i] for block in blocks),
            normalized=is_normalized(first.recipe, spec),
            first=i == 0,
        )
        for i, (spec, values) in enumerate(zip(first.recipe.poolings, columns, strict=True))
    )
    omitted = tuple(chain.from_iterable(block.omitted for block in blocks))
    return Alike(results, omitted if any(omitted) else (), kind.doubt)
