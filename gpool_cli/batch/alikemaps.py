"""Small maps of one file that are alike: read side by side, pooled as one batch, answered as one.

What holds for files that are alike holds for them, see `gpool_cli.batch.alike`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, takewhile

from gpool_cli import pulse
from gpool_cli.batch.select import Map
from gpool_cli.batch.sidebyside import Rows, omitted_of_rows, pool_rows, results_of_rows
from gpool_cli.formats.interface import BLOCK_BYTES, Reader
from gpool_cli.model import Alike, Outcome, Task

OneByOne = Callable[[Sequence[Map]], Iterator[Outcome]]


def pool_alike_maps(
    task: Task, reader: Reader, maps: Sequence[Map], count: int, one_by_one: OneByOne
) -> Iterator[Outcome | Alike]:
    """Pool maps of a file one after the other, those that are alike together.

    Args:
        task: The file, and what is computed.
        reader: Reads it.
        maps: Some of its maps.
        count: How many it has in all.
        one_by_one: Pools maps that go the ordinary way.

    Yields:
        The same outcomes in the same order, those of maps that are alike as one. All of them but
        the first are left out: whoever gave the maps has them.
    """
    place = 0
    while place < len(maps):
        alike = list(takewhile(_is_like(maps[place]), islice(maps, place, None)))
        together = _together(task, reader, alike, count)
        if together is not None:
            yield together
        else:
            yield from one_by_one(alike)
        place += together.count if together is not None else len(alike)


def _is_like(first: Map) -> Callable[[Map], bool]:
    """Whether a map has what the first has that tells how it is pooled."""
    kind = _kind_of(first)
    return lambda one: one is first or (kind is not None and _kind_of(one) == kind)


def _kind_of(one: Map) -> tuple[object, ...] | None:
    """What maps have in common that go together; None where one goes the ordinary way."""
    info, layout = one
    if info.fortran or info.packing is not None or layout.batch is not None:
        return None
    return (info.shape, info.dtype, layout) if 2 * info.nbytes <= BLOCK_BYTES else None


def _together(task: Task, reader: Reader, alike: Sequence[Map], count: int) -> Alike | None:
    """What came of the first of some maps; None where they go one by one."""
    blocks: list[Rows] = []
    infos = [info for info, _ in alike]
    done = 0
    while len(infos) > 1 and done < len(infos):
        pulse.read()
        values = reader.side_by_side(infos[done:])
        pulse.work()
        if not len(values):
            break
        try:
            blocks += pool_rows(values, alike[0][1], task.recipe)
        except Exception:
            break  # Each map for itself, and what is wrong with one is said of that one.
        done += len(values)
    if not blocks:
        return None
    results = results_of_rows(blocks, task, *alike[0], count)
    return Alike(results, omitted_of_rows(blocks))
