"""Positions of maxima: against plain numpy, in every layout, and on ties."""

import itertools

import numpy as np
import pytest

from gpool_cli.batch.inprocess import pool_blocks
from gpool_cli.formats.interface import cut_parts, cut_parts_into_rows
from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo
from gpool_cli.recipe import PoolingSpec, Recipe


def where(values, axes, nan="propagate", step=None):
    """The positions, one row a channel, in the order of the user's axes."""
    info = ArrayInfo("", values.shape, values.dtype, fortran=values.flags.fnc)
    memory = values.T if info.fortran else values

    def read(parts):
        for block in cut_parts_into_rows(info, cut_parts(info)):
            assert block.shape == memory.shape
            for first in range(0, memory.shape[0], step or memory.shape[0]):
                part = np.ascontiguousarray(memory[first : first + (step or memory.shape[0])])
                start = (first, *block.start[1:])
                yield type(block)(start, part.shape), part

    recipe = Recipe((PoolingSpec("where"),), nan=nan, shape="flat")
    (found,) = pool_blocks(read, info, Layout(axes), recipe)
    return found


def expected(values, axes):
    pooled = [i for i, letter in enumerate(axes) if letter not in "NC"]
    kept = [axes.index(letter) for letter in "NC" if letter in axes]
    rows = values.transpose(*kept, *pooled)
    flat = rows.reshape(*rows.shape[: len(kept)], -1).argmax(axis=-1)
    return np.stack(np.unravel_index(flat, [values.shape[i] for i in pooled]), axis=-1)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("step", [None, 1])
@pytest.mark.parametrize("axes", ["".join(p) for p in itertools.permutations("NHWC")])
def test_as_numpy_in_every_layout_with_many_ties(axes, step, order):
    rng = np.random.default_rng(0)
    values = np.asarray(rng.integers(0, 3, (3, 4, 5, 2)), order=order)
    np.testing.assert_array_equal(where(values, axes, step=step), expected(values, axes))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "bool"])
def test_every_kind_of_value(dtype):
    values = (np.random.default_rng(1).standard_normal((6, 7, 3)) * 50 > 30).astype(dtype)
    found = where(values, "HWC")
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected(values, "HWC"))


def test_the_first_nan_is_the_maximum_or_left_out():
    values = np.array([[1.0, np.nan], [np.inf, np.nan], [np.nan, np.nan], [np.inf, np.nan]])
    np.testing.assert_array_equal(where(values, "LC"), [[2], [0]])
    np.testing.assert_array_equal(where(values, "LC", nan="omit"), [[1], [-1]])
    np.testing.assert_array_equal(where(values, "LC", nan="omit", step=1), [[1], [-1]])


def test_what_is_left_out_is_not_taken_for_minus_infinity():
    values = np.array([[np.nan], [-np.inf], [-np.inf]])
    np.testing.assert_array_equal(where(values, "LC", nan="omit"), [[1]])
