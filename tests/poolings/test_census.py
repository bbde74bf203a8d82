"""What is told of channels: in any cut the same, and what numpy says of the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gpool_cli.poolings import MEASURES, load_pooling
from gpool_cli.poolings.interface import Cells, Grid
from gpool_cli.poolings.state import State
from gpool_cli.recipe import PoolingSpec

POOLINGS = [load_pooling(PoolingSpec(row.name)) for row in MEASURES]
DTYPES = ["bool", "int8", "uint8", "int64", "uint64", "float16", "float32", "float64"]


def census(*parts: np.ndarray) -> list[np.ndarray]:
    """What is known after parts of shape (positions, channels), each seen by a state of its own."""
    state = State(POOLINGS, Grid((parts[0].shape[1],), parts[0].dtype))
    for part in parts:
        other = State(POOLINGS, Grid((part.shape[1],), part.dtype))
        if len(part):
            other.update((slice(None),), Cells(np.ascontiguousarray(part)[np.newaxis]))
        state.merge(other)
    return [state.finish(pooling) for pooling in POOLINGS]


@st.composite
def cut_maps(draw):
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = draw(st.integers(1, 20)), draw(st.integers(1, 5))
    values = draw(hnp.arrays(dtype, shape))
    return values, draw(st.integers(0, shape[0]))


@given(cut_maps())
def test_any_cut_says_what_numpy_says(case):
    values, cut = case
    low, high, nan, infinite = census(values[:cut], values[cut:])
    assert (low.dtype, high.dtype) == (values.dtype, values.dtype)
    assert (nan.dtype, infinite.dtype) == (np.int64, np.int64)
    assert nan.tolist() == np.isnan(values).sum(axis=0).tolist()
    assert infinite.tolist() == np.isinf(values).sum(axis=0).tolist()
    for channel, column in enumerate(values.T):
        numbers = column[~np.isnan(column)]
        if numbers.size:
            assert (low[channel], high[channel]) == (numbers.min(), numbers.max())
        else:
            assert low[channel] > high[channel]


def test_the_names_of_the_table_are_those_of_the_measures():
    assert [pooling.name for pooling in POOLINGS] == [row.name for row in MEASURES]


@pytest.mark.parametrize("row", MEASURES, ids=lambda row: row.name)
def test_a_measure_is_no_pooling_for_users(row):
    from gpool_cli.errors import UsageError
    from gpool_cli.poolings import parse_pooling

    with pytest.raises(UsageError):
        parse_pooling(row.name)
