"""How a map fits into a box, and how it is reduced."""

import numpy as np
import pytest

from gpool_cli.raster import Box, counts, gathered, means


@pytest.mark.parametrize(
    ("rows", "columns", "step", "times"),
    [(7, 7, 1, 5), (40, 80, 1, 1), (41, 1, 2, 1), (1, 81, 2, 1), (1, 1, 1, 40), (4096, 10, 103, 1)],
)
def test_a_map_is_reduced_or_enlarged_by_whole_cells(rows, columns, step, times):
    box = Box(80, 40)
    assert (box.step(rows, columns), box.times(rows, columns)) == (step, times)
    assert -(-rows // step) * times <= box.height
    assert -(-columns // step) * times <= box.width


def test_a_cell_is_the_mean_of_the_values_that_are_there():
    values = np.arange(15.0).reshape(3, 5)
    assert means(values, 2).tolist() == [[3.0, 5.0, 6.5], [10.5, 12.5, 14.0]]
    assert counts(3, 5, 2).tolist() == [[4, 4, 2], [2, 2, 1]]
    assert np.array_equal(means(values, 1), values)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50])
@pytest.mark.parametrize(("row", "column"), [(1, 4), (5, 2), (6, 6)])
def test_two_parts_make_the_whole_wherever_it_is_cut(step, row, column):
    values = np.random.default_rng(0).integers(0, 100, (11, 9, 2)).astype(float)
    whole = gathered(np.maximum, values, step)
    made = np.full_like(whole, -np.inf)
    for down in (slice(0, row), slice(row, None)):
        for across in (slice(0, column), slice(column, None)):
            first, left = down.start or 0, across.start or 0
            part = gathered(np.maximum, values[down, across], step, first, left)
            place = made[first // step :, left // step :][: len(part), : part.shape[1]]
            np.maximum(place, part, out=place)
    assert np.array_equal(made, whole)
