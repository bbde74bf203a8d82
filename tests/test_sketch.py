"""What a result looks like, in few numbers."""

from dataclasses import replace

import numpy as np
import pytest

from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, InputFile, Result
from gpool_cli.recipe import PoolingSpec
from gpool_cli.sketch import Sketch, Sketcher, channel_rows


def result_of(values: np.ndarray, axes: str) -> Result:
    info = ArrayInfo("", values.shape, values.dtype)
    layout = Layout("HWC", "default")
    return Result(InputFile("a", "a"), info, layout, PoolingSpec("avg"), values, axes)


def sketch_of(*pieces: Result) -> Sketch:
    sketcher = Sketcher()
    for piece in pieces:
        sketcher.take_in(piece)
    return sketcher.sketch()


@pytest.mark.parametrize(
    ("shape", "axes", "rows"),
    [
        ((1, 1, 3), "HWC", (1, 3)),
        ((3, 1, 1), "CHW", (1, 3)),
        ((2, 3, 1, 1), "NCHW", (2, 3)),
        ((2, 3), "NC", (2, 3)),
        ((1, 1), "HW", (1, 1)),
        ((), "", (1, 1)),
    ],
)
def test_a_row_of_channels_for_every_map(shape, axes, rows):
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    found = channel_rows(result_of(values, axes))
    assert found.shape == rows
    assert found.ravel().tolist() == sorted(found.ravel().tolist())


def test_few_channels_are_the_cells():
    assert sketch_of(result_of(np.array([3.0, 0, -1]), "C")).cells.tolist() == [3, 0, -1]


@pytest.mark.parametrize("width", [64, 65, 127, 1000, 1280])
def test_neighbours_share_a_cell_as_their_mean(width):
    values = np.random.default_rng(1).normal(size=width).astype("f4")
    cells = sketch_of(result_of(values, "C")).cells
    edges = [i * width // 64 for i in range(65)]
    wanted = [values[a:b].mean(dtype="f8") for a, b in zip(edges, edges[1:], strict=False)]
    np.testing.assert_allclose(cells, wanted)


def test_maps_of_a_batch_are_one_picture_and_each_counts():
    values = np.array([[0, 1, 0], [0, 3, 2]], "f4")
    sketch = sketch_of(result_of(values, "NC"))
    assert sketch.cells.tolist() == [0, 2, 1]
    assert (sketch.zeros.tolist(), sketch.maps) == ([2, 0, 1], 2)


def test_pieces_are_the_whole():
    values = np.random.default_rng(2).integers(0, 2, size=(9, 5)).astype("f4")
    whole = result_of(values, "NC")
    cuts = [(0, 1), (1, 2), (2, 9)]
    pieces = [replace(whole, values=values[a:b], start=a, rows=9) for a, b in cuts]
    one, other = sketch_of(whole), sketch_of(*pieces)
    np.testing.assert_allclose(one.cells, other.cells)
    assert (one.zeros.tolist(), one.maps) == (other.zeros.tolist(), other.maps)


def test_many_zeros_are_counted_whatever_the_type_of_the_first():
    whole = result_of(np.zeros((600, 2), "u1"), "NC")
    pieces = [replace(whole, values=whole.values[i : i + 1], start=i, rows=600) for i in range(600)]
    assert sketch_of(*pieces).zeros.tolist() == [600, 600]


def test_nan_and_infinity_stay_what_they_are():
    cells = sketch_of(result_of(np.array([np.nan, np.inf, -np.inf, 1e308]), "C")).cells
    np.testing.assert_array_equal(cells, [np.nan, np.inf, -np.inf, 1e308])
    large = sketch_of(result_of(np.full(640, 1.5e308), "C")).cells
    np.testing.assert_allclose(large, 1.5e308)
