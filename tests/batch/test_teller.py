"""What people are told of a result: its bounds, its mean, and what is unusual in it."""

from __future__ import annotations

import numpy as np
import pytest

from gpool_cli.batch.teller import Teller
from gpool_cli.events import Pooled
from gpool_cli.formats.interface import Array
from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, InputFile, Result
from gpool_cli.recipe import PoolingSpec
from gpool_cli.tally import Tally


def result(values: Array) -> Result:
    info = ArrayInfo("", (7, 7, *values.shape), values.dtype)
    return Result(InputFile("a", "a"), info, Layout("HWC"), PoolingSpec("avg"), values, "C")


def told(*pieces: Array) -> tuple[Pooled, Tally]:
    tally = Tally()
    teller = Teller(result(pieces[0]), "here")
    for piece in pieces:
        teller.take_in(result(piece), tally)
    return teller.tell(), tally


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", "u1"])
@pytest.mark.parametrize("count", [1, 1000, (1 << 16) - 1, 1 << 16, 300_001])
def test_bounds_and_mean(dtype: str, count: int) -> None:
    values = np.random.default_rng(count).integers(0, 200, count).astype(dtype)
    pooled, tally = told(values)
    assert (pooled.low, pooled.high) == (values.min(), values.max())
    assert pooled.mean == pytest.approx(values.astype("f8").mean(), rel=1e-12)
    assert (pooled.nan_values, tally.nan_values, tally.inf_values) == (0, 0, 0)


def test_a_large_float16_is_not_lost_in_a_narrow_sum() -> None:
    pooled, _ = told(np.full(200_000, 60_000, "f2"))
    assert pooled.mean == np.float16(60_000)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("place", [0, 70_000, -1])
def test_nan_is_counted_and_left_out(dtype: str, place: int) -> None:
    values = np.arange(100_000).astype("f8").clip(0, 1000).astype(dtype)
    known = np.delete(values, place).astype("f8")
    values[place] = np.nan
    pooled, tally = told(values)
    assert (pooled.low, pooled.high) == (known.min(), known.max())
    assert pooled.mean == pytest.approx(known.mean(), rel=1e-12)
    assert (pooled.nan_values, tally.nan_values, tally.inf_values) == (1, 1, 0)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_infinities_are_values(dtype: str) -> None:
    values = np.zeros(100_000, dtype)
    values[[3, 80_000]] = np.inf, -np.inf
    pooled, tally = told(values)
    assert (pooled.low, pooled.high) == (-np.inf, np.inf)
    assert (tally.nan_values, tally.inf_values) == (0, 2)


@pytest.mark.parametrize("dtype", ["f2", "f4"])
def test_nothing_but_nan_has_no_bounds(dtype: str) -> None:
    pooled, tally = told(np.full(70_000, np.nan, dtype))
    assert (pooled.low, pooled.mean, pooled.high) == (None, None, None)
    assert tally.nan_values == 70_000


def test_pieces_are_told_of_as_one() -> None:
    first, second = np.arange(5, dtype="f2"), np.arange(5, 11, dtype="f2")
    pooled, _ = told(first, second)
    assert (pooled.low, pooled.mean, pooled.high) == (0, 5, 10)
