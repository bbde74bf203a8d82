"""max is one of the stored values, bit for bit."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gpool_cli import global_pool
from gpool_cli.layout import Layout
from gpool_cli.model import Block
from gpool_cli.poolings.cells import as_cells, grid_shape, region_of
from gpool_cli.poolings.interface import Cells, Grid
from gpool_cli.poolings.maximum import MAX
from gpool_cli.poolings.state import State

Array = np.ndarray[Any, np.dtype[Any]]

ANY_DTYPE = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="="),
    hnp.unsigned_integer_dtypes(endianness="="),
    hnp.floating_dtypes(endianness="=", sizes=(16, 32, 64)),
)


@settings(max_examples=300, deadline=None)
@given(values=hnp.arrays(ANY_DTYPE, hnp.array_shapes(min_dims=3, max_dims=3)), data=st.data())
def test_one_of_the_stored_values_bit_for_bit(values: Array, data: st.DataObject) -> None:
    axes = data.draw(st.permutations("HWC"))
    layout = Layout("".join(axes))
    state = State([MAX], Grid(grid_shape(values.shape, layout), values.dtype))
    axis = data.draw(st.integers(0, 2))
    place = data.draw(st.integers(0, values.shape[axis]))
    for first, part in zip((0, place), np.split(values, [place], axis=axis), strict=True):
        if part.size:
            start = [0, 0, 0]
            start[axis] = first
            block = Block(tuple(start), part.shape)
            cells = Cells(as_cells(np.ascontiguousarray(part), layout))
            state.update(region_of(block, layout), cells)

    got = state.finish(MAX)

    assert got.dtype == values.dtype
    channels = np.moveaxis(values, layout.axes.index("C"), 0).reshape(len(got), -1)
    for largest, channel in zip(got, channels, strict=True):
        stored = channel.tolist()
        if any(math.isnan(x) for x in stored):
            assert np.isnan(largest)
        elif largest == 0:
            assert max(stored) == 0
            assert not np.signbit(largest.astype(np.float64))
        else:
            assert largest.item() == max(stored)
            assert largest.tobytes() in {x.tobytes() for x in channel}


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("int64", [2**63 - 2, 2**63 - 1, -(2**63)]),
        ("uint64", [2**64 - 2, 2**64 - 1, 2**63]),
        ("uint64", [2**53, 2**53 + 1]),
        ("int8", [-128, -128]),
        ("bool", [False, False]),
        ("float32", [1e-45, -1e-45]),
        ("float64", [-5e-324, -1e308]),
        ("float16", [-np.inf, -65504]),
    ],
)
def test_no_detour_through_another_type(dtype: str, values: list[float]) -> None:
    stored = np.array(values, dtype)
    got = global_pool(stored[:, np.newaxis], "max", layout="LC")
    assert got.dtype == dtype
    assert got.item() == max(stored.tolist())


def test_every_float16_is_its_own_maximum() -> None:
    stored = np.arange(2**16, dtype=np.uint16).view(np.float16)
    got = global_pool(stored[np.newaxis], "max", layout="LC").reshape(-1)
    expected = np.where(np.isnan(stored), np.float16(np.nan), np.where(stored == 0, 0, stored))
    assert got.tobytes() == expected.tobytes()
