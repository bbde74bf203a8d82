"""Results in pieces, put in order: a result whole before the next, and none of a map that fails.

The pieces of several poolings of one map come in turns, and a map may fail after some of them.
They wait in a temporary file until the map is done: what is written has no half maps in it. Where
pieces may be written in turns, and nothing is kept of a file with a map that fails, they don't
wait, and a warning never does. The values of a piece that waited there are valid until the next
one is asked for; the first piece of a result, which is looked at again when all have passed, never
waits there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from gpool_cli.formats.spool import IN_MEMORY, Spool
from gpool_cli.model import Alike, InputFile, Outcome, Result, Warned
from gpool_cli.recipe import PoolingSpec


def joined(
    outcomes: Iterable[Outcome | Alike], in_turns: Callable[[InputFile], bool]
) -> Iterator[Outcome | Alike]:
    """The same outcomes; results in pieces come pooling after pooling, once their map is done.

    Args:
        outcomes: What the work gave.
        in_turns: Whether the pieces of this input come as they are.
    """
    waiting: dict[PoolingSpec, _Pieces] = {}
    try:
        for outcome in outcomes:
            piece = _waits(outcome, in_turns)
            if isinstance(outcome, Warned) and not _all_whole(waiting):
                yield outcome
                continue
            if piece is None or (piece.start == 0 and piece.pooling in waiting):
                yield from _let_go(waiting)
            if piece is None:
                yield outcome
            else:
                if piece.pooling not in waiting:
                    waiting[piece.pooling] = _Pieces()
                waiting[piece.pooling].add(piece)
        yield from _let_go(waiting)
    finally:
        for pieces in waiting.values():
            pieces.close()


def _waits(outcome: Outcome | Alike, in_turns: Callable[[InputFile], bool]) -> Result | None:
    """The outcome, if it is a piece that must wait for others."""
    if isinstance(outcome, Result) and outcome.rows is not None and not in_turns(outcome.file):
        return outcome
    return None


def _all_whole(waiting: dict[PoolingSpec, _Pieces]) -> bool:
    return all(pieces.complete for pieces in waiting.values())


def _let_go(waiting: dict[PoolingSpec, _Pieces]) -> Iterator[Result]:
    """Yield what waits, if it is whole, and forget it."""
    if _all_whole(waiting):
        for pieces in waiting.values():
            yield from pieces
    for pieces in waiting.values():
        pieces.close()
    waiting.clear()


class _Pieces:
    """The pieces of one result: the first as they are, the rest in a file.

    Attributes:
        complete: The last one has come.
    """

    def __init__(self) -> None:
        self._file = Spool(in_memory=0)
        self._first: list[Result] = []
        self._nbytes = 0
        self._rest: list[tuple[Result, tuple[int, ...]]] = []
        self.complete = False

    def add(self, piece: Result) -> None:
        self.complete = piece.start + len(piece.values) == piece.rows
        self._nbytes += piece.values.nbytes
        if self._nbytes <= IN_MEMORY or not self._first:
            self._first.append(piece)
            return
        self._file.write(np.ascontiguousarray(piece.values).data)
        # A copy, for a view of nothing would keep all the values.
        self._rest.append((replace(piece, values=piece.values[:0].copy()), piece.values.shape))

    def __iter__(self) -> Iterator[Result]:
        yield from self._first
        self._file.rewind()
        for piece, shape in self._rest:
            dtype = piece.values.dtype
            raw = self._file.view(int(np.prod(shape)) * dtype.itemsize)
            yield replace(piece, values=np.frombuffer(raw, dtype).reshape(shape))

    def close(self) -> None:
        self._file.close()
