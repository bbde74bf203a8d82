"""Results in pieces: what memory holds of them while they wait."""

import tracemalloc
from collections.abc import Iterator

import numpy as np

from gpool_cli.batch.joined import joined
from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, InputFile, Result
from gpool_cli.recipe import PoolingSpec

ROWS, PIECES = 1000, 40


def pieces() -> Iterator[Result]:
    info = ArrayInfo("", (ROWS * PIECES, 1, 1, 250), np.dtype("f4"))
    for i in range(PIECES):
        yield Result(
            file=InputFile("a.npy", "a.npy"),
            info=info,
            layout=Layout("NHWC"),
            pooling=PoolingSpec("avg"),
            values=np.full((ROWS, 1, 1, 250), i, "f4"),
            axes="NHWC",
            start=i * ROWS,
            rows=ROWS * PIECES,
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
