"""Small files that are alike: read side by side, pooled as one batch, answered as one.

A file costs some 200 us of Python when it goes the ordinary way, ten times what reading it takes.
Most trees hold maps of one shape: those that follow each other go together here. What comes of a
file is the same, bit for bit; what does not fit, or goes wrong, goes the ordinary way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gpool_cli import pulse
from gpool_cli.batch.select import select
from gpool_cli.batch.sidebyside import Rows, omitted_of_rows, pool_rows, results_of_rows
from gpool_cli.batch.work import pool_file
from gpool_cli.formats.npyalike import AlikeFiles, Pattern, is_npy, pattern_of
from gpool_cli.layout import Layout, layout_doubt
from gpool_cli.model import Alike, Outcome, Task


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
    blocks: list[Rows] = []
    count = 0
    while kind is not None:
        values = files.read(_paths(tasks, place + count), kind.pattern)
        if not len(values):
            break
        try:
            blocks += pool_rows(values, kind.layout, first.recipe)
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


def _joined(blocks: Sequence[Rows], kind: _Kind, first: Task) -> Alike:
    """One answer for all blocks of a kind."""
    results = results_of_rows(blocks, first, kind.pattern.info, kind.layout)
    return Alike(results, omitted_of_rows(blocks), kind.doubt)
