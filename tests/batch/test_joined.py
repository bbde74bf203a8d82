"""Results in pieces: what memory holds of them while they wait."""

import tracemalloc
from collections.abc import Iterator

import numpy as np

from gpool_cli.batch.joined import joined
from gpool_cli.formats.spool import IN_MEMORY
from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, InputFile, Result
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


def test_pieces_that_wait_are_not_in_memory() -> None:
    tracemalloc.start()
    for i, piece in enumerate(joined(pieces())):
        assert isinstance(piece, Result)
        assert piece.values.shape == (ROWS, 1, 1, 250)
        assert (piece.values == i).all()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert i == PIECES - 1
    assert peak < PIECES * piece.values.nbytes * 0.7


def test_the_first_piece_stays_what_it_is_however_large_while_the_others_pass() -> None:
    large = IN_MEMORY // 1000 + 1
    first, *others = (piece for piece in joined(pieces(large, 3)) if isinstance(piece, Result))
    assert first.values.nbytes > IN_MEMORY
    assert len(others) == 2
    assert (first.values == 0).all()
