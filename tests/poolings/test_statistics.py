"""Sums that overflow, and maxima of float16, which take ways of their own."""

import itertools

import numpy as np
import pytest

from gpool_cli.poolings.interface import Cells, Grid
from gpool_cli.poolings.statistics import Maximum, Sum

HUGE = float(np.finfo(np.float64).max)
ALL = (slice(None),)


def mean_of(*blocks: list[list[float]]) -> list[float]:
    """The mean of every cell; blocks have a row a cell."""
    total = Sum(Grid((len(blocks[0]),), np.dtype(np.float64)))
    with np.errstate(all="ignore"):
        for rows in blocks:
            total.update(ALL, Cells(np.array(rows)[:, :, np.newaxis]))
        count = np.array([float(sum(len(rows[0]) for rows in blocks))])
        means: list[float] = total.total.divided_by(count).tolist()
        return means


class TestHugeSums:
    def test_the_mean_of_the_largest_is_the_largest(self) -> None:
        assert mean_of([[HUGE] * 5]) == [HUGE]
        assert mean_of(*[[[HUGE]]] * 5) == [HUGE]
        assert mean_of([[-HUGE] * 40], [[-HUGE]]) == [-HUGE]

    def test_a_sum_that_comes_back(self) -> None:
        """Halving gives inf - inf on the way here, and so NaN."""
        there_and_back = [HUGE, HUGE, -HUGE, -HUGE] * 4
        for order in set(itertools.permutations([HUGE, HUGE, -HUGE, -HUGE])):
            assert mean_of([[*order] * 4]) == [0]
        assert mean_of([there_and_back], [there_and_back]) == [0]

    def test_infinities_and_other_cells_beside_it(self) -> None:
        rows = [[HUGE] * 3, [np.inf, 1, 1], [np.inf, -np.inf, 1], [np.nan, HUGE, HUGE], [0.5] * 3]
        for blocks in ([rows], [rows, rows]):
            np.testing.assert_array_equal(mean_of(*blocks), [HUGE, np.inf, np.nan, np.nan, 0.5])

    def test_an_infinity_after_an_overflow(self) -> None:
        assert mean_of([[HUGE] * 3], [[np.inf] * 3]) == [np.inf]
        assert mean_of([[np.inf] * 3], [[-HUGE] * 3]) == [np.inf]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_maxima_over_blocks(dtype: str) -> None:
    """Every pair of special values, one a block, is what numpy makes of it."""
    special = np.array([0, np.inf, np.nan, 1e-7, 2, 65504], dtype)
    special = np.concatenate([special, -special])
    pairs = np.array(list(itertools.product(special, special)), dtype)
    state = Maximum(Grid((len(pairs),), pairs.dtype))
    other = Maximum(Grid((len(pairs),), pairs.dtype))
    state.update(ALL, Cells(pairs[:, :1, np.newaxis].copy()))
    other.update(ALL, Cells(pairs[:, 1:, np.newaxis].copy()))
    state.merge(other)
    np.testing.assert_array_equal(state.value, pairs.max(axis=1))
