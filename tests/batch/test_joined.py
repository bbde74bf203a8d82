"""Results in pieces: what memory holds of them while they wait."""

import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from gpool_cli.batch.joined import joined
from gpool_cli.formats.spool import IN_MEMORY
from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, InputFile, Result, Warned
from gpool_cli.recipe import PoolingSpec

ROWS, PIECES = 1000, 40


def pieces(rows: int = ROWS, count: int = PIECES) -> Iterator[Result]:
    info = ArrayInfo("", (rows * count, 1, 1, 250), np.dtype("f4"))
    for i in range(count):
        yield Result(
            file=InputFile("a.npy", "a.npy"),
            info=info,
            layout=Layout("NHWC"),
            pooling=PoolingSpec("avg"),
            values=np.full((rows, 1, 1, 250), i, "f4"),
            axes="NHWC",
            start=i * rows,
            rows=rows * count,
        )


def never(file: InputFile) -> bool:
    return False


def always(file: InputFile) -> bool:
    return True


def in_turns(count: int) -> Iterator[Result]:
    """The pieces of two poolings of one map."""
    for piece in pieces(2, count):
        yield piece
        yield replace(piece, pooling=PoolingSpec("max"))


def order(outcomes: Iterable[object]) -> list[tuple[str, int]]:
    return [(one.pooling.name, one.start) for one in outcomes if isinstance(one, Result)]


def test_pieces_come_pooling_after_pooling() -> None:
    assert order(joined(in_turns(2), never)) == [("avg", 0), ("avg", 2), ("max", 0), ("max", 2)]


def test_a_map_that_is_not_whole_is_left_out() -> None:
    assert order(joined(list(in_turns(2))[:3], never)) == []


def test_a_warning_in_the_middle_of_a_map_loses_none_of_it() -> None:
    warning = Warned(InputFile("a.npy", "a.npy"), "", "confidence", "is doubtful")
    given = list(in_turns(2))
    taken = list(joined([*given[:3], warning, given[3], warning], never))
    assert order(taken) == [("avg", 0), ("avg", 2), ("max", 0), ("max", 2)]
    assert [i for i, one in enumerate(taken) if one is warning] == [0, 5]


def test_where_they_may_come_in_turns_pieces_come_at_once() -> None:
    given = in_turns(2)
    taken = joined(given, always)
    assert order([next(taken)]) == [("avg", 0)]
    assert order(given) == [("max", 0), ("avg", 2), ("max", 2)]


def test_pieces_that_wait_are_not_in_memory() -> None:
    tracemalloc.start()
    for i, piece in enumerate(joined(pieces(), never)):
        assert isinstance(piece, Result)
        assert piece.values.shape == (ROWS, 1, 1, 250)
        assert (piece.values == i).all()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert i == PIECES - 1
    assert peak < PIECES * piece.values.nbytes * 0.7


def test_the_first_piece_stays_what_it_is_however_large_while_the_others_pass() -> None:
    large = IN_MEMORY // 1000 + 1
    first, *others = (
        piece for piece in joined(pieces(large, 3), never) if isinstance(piece, Result)
    )
    assert first.values.nbytes > IN_MEMORY
    assert len(others) == 2
    assert (first.values == 0).all()
