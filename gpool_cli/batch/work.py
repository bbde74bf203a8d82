"""The work of one task: open a file, choose its maps, pool them block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gpool_cli.batch.pieces import pool_pieces
from gpool_cli.batch.select import select
from gpool_cli.errors import GpoolError
from gpool_cli.formats.interface import Reader
from gpool_cli.formats.opening import format_of, open_reader
from gpool_cli.layout import Layout, layout_doubt
from gpool_cli.model import (
    STDIN,
    ArrayInfo,
    Failed,
    FileDone,
    InputFile,
    Outcome,
    Result,
    Skipped,
    Task,
    Warned,
)
from gpool_cli.poolings import load_pooling
from gpool_cli.poolings.interface import Pooling


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
    maps: int,
) -> Iterator[Result]:
    """Pool one map; a large batch gives its rows piece by piece."""
    shape = layout.output_shape(info.shape, task.recipe.shape)
    for piece in pool_pieces(reader.blocks(info), info, layout, poolings, task.recipe):
        for i, (spec, values) in enumerate(zip(task.recipe.poolings, piece.values, strict=True)):
            yield Result(
                file=task.file,
                info=info,
                layout=layout,
                pooling=spec,
                values=values,
                axes=piece.axes,
                omitted=piece.omitted if i == 0 else 0,
                parts=maps,
                start=piece.start,
                rows=None if piece.whole else shape[0],
            )
