"""The cells of pictures: the same from any parts, and what numpy says of the whole."""

import numpy as np
import pytest

from gpool_cli.poolings.planes import Extent, Planes


def seen(values, step, channels=None, over="mean", cuts=(100, 100, 100)):
    rows, columns, depth = values.shape
    planes = Planes(Extent(rows, columns, depth, step), channels, over)
    for row in range(0, rows, cuts[0]):
        for column in range(0, columns, cuts[1]):
            for channel in range(0, depth, cuts[2]):
                part = values[
                    row : row + cuts[0], column : column + cuts[1], channel : channel + cuts[2]
                ]
                planes.update((row, column, channel), part)
    return planes.finish()


def blocks(values, step, function):
    rows, columns = values.shape[:2]
    return np.array(
        [
            [function(values[r : r + step, c : c + step]) for c in range(0, columns, step)]
            for r in range(0, rows, step)
        ]
    )


VALUES = np.random.default_rng(1).normal(size=(7, 10, 5)).astype("f4")
CUTS = [(100, 100, 100), (1, 100, 100), (3, 4, 2), (100, 100, 1), (2, 3, 100)]


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("step", [1, 2, 3, 20])
def test_channels_alone(cuts, step):
    planes = seen(VALUES, step, (3, 0), cuts=cuts)
    assert planes.shape[0] == 2
    for plane, channel in zip(planes, (3, 0), strict=True):
        wanted = blocks(VALUES[:, :, channel].astype(float), step, np.mean)
        assert plane == pytest.approx(wanted)


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("step", [1, 2, 3, 20])
def test_all_channels_together(cuts, step):
    wide = VALUES.astype(float)
    (mean,) = seen(VALUES, step, cuts=cuts)
    assert mean == pytest.approx(blocks(wide, step, np.mean))
    (highest,) = seen(VALUES, step, over="max", cuts=cuts)
    assert np.array_equal(highest, blocks(wide, step, np.max))


@pytest.mark.parametrize("over", ["mean", "max"])
@pytest.mark.parametrize("cuts", CUTS)
def test_nan_marks_its_cell_alone(over, cuts):
    values = VALUES.copy()
    values[4, 5, 2] = np.nan
    (plane,) = seen(values, 2, over=over, cuts=cuts)
    assert np.argwhere(np.isnan(plane)).tolist() == [[2, 2]]


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "f2", "u8"])
def test_narrow_types_do_not_overflow(dtype):
    values = np.ones((40, 50, 3), dtype)
    values *= np.array(1 if dtype == "?" else 100, dtype)
    expected = float(values[0, 0, 0])
    assert (seen(values, 10) == expected).all()
    assert (seen(values, 10, (1,)) == expected).all()
    assert (seen(values, 10, over="max") == expected).all()
