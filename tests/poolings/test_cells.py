"""From a block to cells: every layout, with axes of length 1 too."""

import itertools

import numpy as np
import pytest

from gpool_cli.layout import Layout
from gpool_cli.model import Block
from gpool_cli.poolings.cells import as_cells, grid_shape, region_of

LAYOUTS = ["".join(p) for axes in ("HWC", "NHWC", "NDHWC") for p in itertools.permutations(axes)]


@pytest.mark.parametrize("axes", [*LAYOUTS, "HW", "NC", "C", "NHW"])
def test_cells_hold_the_values_of_their_channel(axes: str) -> None:
    for single in ("", "C", "N", "H", "W", "NDHWC"):
        check_cells(axes, single)


def check_cells(axes: str, single: str) -> None:
    """Hold the cells of a layout to it; these axes have length 1."""
    sizes = {"N": 2, "D": 3, "H": 4, "W": 5, "C": 6, **dict.fromkeys(single, 1)}
    shape = tuple(sizes[letter] for letter in axes)
    values = np.arange(np.prod(shape)).reshape(shape)
    layout = Layout(axes)

    cells = as_cells(values, layout)

    expected = values.transpose(*layout.kept, *layout.pooled)
    expected = expected.reshape(cells.shape[0] * cells.shape[2], -1)
    got = cells.transpose(0, 2, 1).reshape(expected.shape)
    assert np.array_equal(np.sort(got), np.sort(expected))
    assert cells.flags.c_contiguous


@pytest.mark.parametrize("axes", ["HWC", "CHW", "NHWC", "NCHW", "CHWN", "NDHWC", "LC"])
def test_common_layouts_are_not_copied(axes: str) -> None:
    values = np.zeros((2,) * len(axes))
    assert np.shares_memory(as_cells(values, Layout(axes)), values)


def test_regions_are_the_kept_axes_in_the_order_of_memory() -> None:
    block = Block((1, 2, 3, 4), (10, 20, 30, 40))
    assert region_of(block, Layout("HCWN")) == (slice(2, 22), slice(4, 44))
    assert region_of(block, Layout("HWDL")) == (slice(0, 1),)
    assert grid_shape((7, 6, 5), Layout("HWC")) == (5,)
    assert grid_shape((7, 6), Layout("HW")) == (1,)
