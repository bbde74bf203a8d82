"""Weighted sums: any cut and any merge, exact weights, values that count for nothing."""

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gpool_cli.poolings import load_pooling
from gpool_cli.poolings.interface import Cells, Grid
from gpool_cli.poolings.state import State
from gpool_cli.recipe import PoolingSpec

Array = np.ndarray[Any, np.dtype[Any]]

ALL = (slice(None),)
AVG = load_pooling(PoolingSpec("avg"), weighted=True)
PLAIN = load_pooling(PoolingSpec("avg"))


def state_of(values: Array, weights: Array, missing: Array | None = None) -> State:
    """The state that has seen these values: an axis of positions, and one of channels."""
    state = State([AVG], Grid((values.shape[1],), values.dtype))
    if len(values):
        left_out = None if missing is None else np.ascontiguousarray(missing)[np.newaxis]
        state.update(ALL, Cells(np.ascontiguousarray(values)[np.newaxis], left_out, weights[None]))
    return state


@st.composite
def weighted(draw: st.DrawFn) -> tuple[Array, Array, Array]:
    count = draw(st.integers(1, 30))
    numbers = st.floats(-1e6, 1e6, width=32)
    values = draw(hnp.arrays(np.float64, (count, 2), elements=numbers))
    weights = draw(hnp.arrays(np.float64, (count, 1), elements=st.floats(0, 1e6, width=32)))
    missing = draw(hnp.arrays(bool, (count, 2)))
    return values, weights, missing


def truth(values: Array, weights: Array, missing: Array) -> list[Fraction | None]:
    """The weighted mean of every channel, as a fraction; None where nothing counts."""
    means: list[Fraction | None] = []
    for channel in range(values.shape[1]):
        pairs = [
            (Fraction(float(x)), Fraction(float(w)))
            for x, w, out in zip(
                values[:, channel], weights[:, 0], missing[:, channel], strict=True
            )
            if not out
        ]
        total = sum((w for _, w in pairs), Fraction(0))
        means.append(sum((x * w for x, w in pairs), Fraction(0)) / total if total else None)
    return means


@given(weighted(), st.integers(0, 30))
def test_any_cut_is_the_true_mean(drawn: tuple[Array, Array, Array], cut: int) -> None:
    values, weights, missing = drawn
    state = state_of(values[:cut], weights[:cut], missing[:cut])
    state.merge(state_of(values[cut:], weights[cut:], missing[cut:]))
    got = state.finish(AVG)
    sizes = truth(np.abs(values), weights, missing)
    for mean, expected, size in zip(got, truth(*drawn), sizes, strict=True):
        if expected is None or size is None:
            assert np.isnan(mean)
        else:
            assert abs(Fraction(float(mean)) - expected) <= 4 * Fraction(np.spacing(float(size)))


@given(weighted())
def test_equal_weights_are_none(drawn: tuple[Array, Array, Array]) -> None:
    values, weights, missing = drawn
    plain = State([PLAIN], Grid((2,), values.dtype, exact=True))  # as weighted sums are
    plain.update(ALL, Cells(values[np.newaxis], missing[np.newaxis]))
    got = state_of(values, np.ones_like(weights), missing).finish(AVG)
    np.testing.assert_array_equal(got, plain.finish(PLAIN))


@given(weighted())
def test_a_state_that_saw_nothing_is_the_identity(drawn: tuple[Array, Array, Array]) -> None:
    values, weights, _ = drawn
    nothing = state_of(values[:0], weights[:0])
    nothing.merge(state_of(*drawn))
    alone = state_of(*drawn)
    alone.merge(state_of(values[:0], weights[:0]))
    assert nothing.finish(AVG).tobytes() == alone.finish(AVG).tobytes()
    assert alone.finish(AVG).tobytes() == state_of(*drawn).finish(AVG).tobytes()


def test_a_sum_that_overflows_has_a_mean() -> None:
    huge = np.full((7, 1), np.finfo(np.float64).max / 8)
    assert state_of(huge, np.full((7, 1), 4.0)).finish(AVG).tolist() == [huge[0, 0]]


def test_float32_sums_do_not_drift() -> None:
    values = np.full((1 << 18, 1), 0.1, np.float32)
    weights = np.full((1 << 18, 1), 0.3)
    assert state_of(values, weights).finish(AVG).tolist() == [np.float32(0.1)]
