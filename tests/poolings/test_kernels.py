"""The kernels against the plain numpy expression, fsum and Python's own integers.

Every float16 there is goes through them; +0, -0 and NaN have tests of their own, because numpy's
answer there depends on the length.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpool_cli.poolings import kernels
from gpool_cli.poolings.kernels import KERNELS, MAX_POOLED, maxima, minima, sums

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, int, int]

U = Fraction(1, 2**53)
DTYPES = sorted({dtype for dtype, _ in KERNELS})
FLOATS = ["f2", "f4", "f8"]
INTEGERS = [dtype for dtype in DTYPES if dtype[0] in "iu"]

# (outer, pooled, inner): every way that a kernel can take, and the lengths around its limits.
FIRST = [
    *((1, 1, 1), (1, 2, 1), (3, 1, 1), (5, 2, 1), (1, 7, 1), (900, 4, 1), (700, 9, 1)),
    *((1500, 12, 1), (700, 13, 1), (300, 25, 1), (1340, 49, 1), (70, 65, 1), (40, 130, 1)),
    *((11, 196, 1), (3, 3136, 1), (2, 9001, 1), (1, 70001, 1)),
]
LAST = [
    *((1, 1, 7), (4, 1, 3), (1, 3, 2), (2, 5, 3), (600, 30, 2), (800, 3, 3), (1, 70000, 2)),
    *((1, 50177, 3), (2, 4097, 5), (3, 49, 64), (2, 131, 96), (1, 260, 300), (1, 3, 70001)),
]
each_shape = pytest.mark.parametrize("shape", FIRST + LAST, ids=str)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_float = pytest.mark.parametrize("dtype", FLOATS)
both_orders = pytest.mark.parametrize("order", ["first", "last"])
plain_and_exact = pytest.mark.parametrize("exact", [False, True], ids=["plain", "exact"])


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def bits(x: Array) -> Array:
    return x.view(f"u{x.itemsize}")


def block_of(rows: Array, order: str) -> Array:
    """Rows, one a cell, as a block."""
    return rows[:, :, np.newaxis] if order == "first" else np.ascontiguousarray(rows.T)[np.newaxis]


def rows_of(block: Array) -> Array:
    """The values of a block, a row per cell."""
    return np.ascontiguousarray(block.transpose(0, 2, 1)).reshape(-1, block.shape[1])


def samples(dtype: str, shape: Shape, seed: int = 0) -> Array:
    """Floats of many sizes; integers over all their range; bytes of 0, 1 and 2 as bool."""
    rng = np.random.default_rng(seed)
    if dtype[0] == "f":
        return (rng.standard_normal(shape) * 10.0 ** rng.integers(-4, 4, shape)).astype(dtype)
    if dtype == "b1":
        return rng.integers(0, 3, shape, "u1").view("b1")
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def plain(block: Array) -> Array:
    """The block as numpy's own functions may see it: True is 1."""
    return bits(block) != 0 if block.dtype == bool else block


def total_at(hi: Array, lo: Array | None, i: int) -> Fraction:
    """The sum of one cell without rounding."""
    return Fraction(hi.flat[i]) + (0 if lo is None else Fraction(lo.flat[i]))


def total_of(hi: Array, lo: Array | None) -> list[Fraction]:
    """The sums without rounding."""
    return [total_at(hi, lo, i) for i in range(hi.size)]


def some(rows: Array, count: int = 6) -> list[int]:
    return sorted({*np.random.default_rng(1).integers(0, len(rows), count).tolist()})


def assert_within_the_bound(block: Array, exact: bool) -> None:
    """Hold some cells against what the module promises."""
    hi, lo = sums(block, exact)
    assert hi.dtype == np.float64
    assert hi.shape == (block.shape[0], block.shape[2])
    assert lo is None or (lo.dtype == np.float64 and lo.shape == hi.shape)
    rows, n = rows_of(block), block.shape[1]
    for i in some(rows):
        values = rows[i].astype(np.float64).tolist()
        negated = [-x for x in values]
        pair = [hi.flat[i], 0.0 if lo is None else lo.flat[i]]
        off, size = abs(math.fsum(pair + negated)), math.fsum(map(abs, values))
        # Below here the arithmetic of float64 has no more bits to keep.
        tiny = n * 2.0**-1074 if block.dtype == np.float64 else 0
        assert off <= float(bound(block.dtype, exact, n)) * size + tiny


def bound(dtype: np.dtype[Any], exact: bool, n: int) -> Fraction:
    """How far a sum may be off, in units of the sum of abs(x)."""
    if dtype == np.float16 and exact:
        return Fraction(0)
    if exact:
        return n * (1 + n.bit_length()) * U**2
    return 3 * U + 1000 * n * U**2 if dtype == np.float64 else (n - 1) * U


EVERY = np.arange(2**16, dtype=np.uint16).view(np.float16)
WHOLE = [
    *((2**16, 1, 1), (2**15, 2, 1), (2**13, 8, 1), (1024, 64, 1), (256, 256, 1), (1, 2**16, 1)),
    *((1, 1, 2**16), (1, 2, 2**15), (1, 64, 1024), (4, 128, 128), (1, 2**15, 2)),
]
every_shape = pytest.mark.parametrize("shape", WHOLE, ids=str)


class TestEveryFloat16:
    @both_orders
    @plain_and_exact
    @pytest.mark.parametrize("pooled", [1, 2, 13, 49])
    def test_alone_among_zeros(self, order: str, exact: bool, pooled: int) -> None:
        rows = np.zeros((EVERY.size, pooled), np.float16)
        rows[:, pooled // 2] = EVERY
        hi, lo = sums(block_of(rows, order), exact)
        np.testing.assert_array_equal(hi.ravel(), EVERY.astype(np.float64))
        assert lo is None

    @every_shape
    @plain_and_exact
    def test_sums_are_those_of_numpy(self, shape: Shape, exact: bool) -> None:
        # numpy's are exact here: 2**16 multiples of 2**-24 that are below 2**16 and cancel.
        finite = np.where(np.isfinite(EVERY), EVERY, np.float16(0))
        without_sign = np.resize(EVERY[: 0x7C00 // 2], EVERY.shape)
        for values in (EVERY, finite, without_sign):
            block = values.reshape(shape)
            hi, lo = sums(block, exact)
            got = hi if lo is None else hi + lo
            np.testing.assert_array_equal(got, block.sum(axis=1, dtype=np.float64))

    @every_shape
    def test_extremes_are_those_of_numpy(self, shape: Shape) -> None:
        numbers, negatives = EVERY[~np.isnan(EVERY)], EVERY[EVERY < 0]
        shuffled = np.random.default_rng(0).permutation(EVERY)
        for values in (EVERY, numbers, negatives, -negatives, shuffled):
            block = np.resize(values, EVERY.shape).reshape(shape)
            np.testing.assert_array_equal(maxima(block), block.max(axis=1))
            np.testing.assert_array_equal(minima(block), block.min(axis=1))

    @pytest.mark.parametrize("shape", [(1, 2**20, 1), (1, 2**19 + 3, 2), (40, 2**14 + 1, 1)])
    def test_extremes_of_more_than_the_cache_holds(self, shape: Shape) -> None:
        """The only value that counts is in the first tile, then in the last."""
        for sign in (1, -1):
            for place in (0, -1):
                block = np.full(shape, sign, np.float16)
                block[0, place, 0] = 2 * sign
                np.testing.assert_array_equal(maxima(block), block.max(axis=1))
                np.testing.assert_array_equal(minima(block), block.min(axis=1))


def special_values(dtype: str) -> Array:
    info = np.finfo(dtype)
    tiny = float(info.smallest_subnormal)
    values = [0.0, np.inf, np.nan, tiny, 1.5, float(info.max)]
    return np.array([sign * x for x in values for sign in (1.0, -1.0)], dtype)


def nan_payloads(dtype: str) -> Array:
    """NaN with either sign, quiet and signalling, and payloads of least and most bits."""
    plus, minus = (int(b) for b in bits(np.array([np.inf, -np.inf], dtype)))
    quiet = 1 << (np.finfo(dtype).nmant - 1)
    payloads = [1, quiet - 1, quiet, quiet + 1, 2 * quiet - 1]
    return np.array([b + p for b in (plus, minus) for p in payloads], f"u{dtype[1]}").view(dtype)


def mixtures(values: Array, pooled: int) -> Array:
    """Rows of every pair of values: half and half, and one alone among the other."""
    rng = np.random.default_rng(pooled)
    rows = []
    for a in values:
        for b in values:
            rows += [np.where(rng.random(pooled) < 0.5, a, b), np.full(pooled, a)]
            rows[-1][rng.integers(pooled)] = b
    return np.array(rows, values.dtype)


class TestSpecialValues:
    @each_float
    @both_orders
    @pytest.mark.parametrize("pooled", [1, 2, 3, 4, 7, 16, 31, 33, 49, 65, 129, 200])
    def test_extremes(self, dtype: str, order: str, pooled: int) -> None:
        rows = mixtures(special_values(dtype), pooled)
        block = block_of(rows, order)
        for got, expected in [(maxima(block), rows.max(axis=1)), (minima(block), rows.min(axis=1))]:
            assert got.dtype == block.dtype
            np.testing.assert_array_equal(got.ravel(), expected)

    @each_float
    @both_orders
    @pytest.mark.parametrize("pooled", [1, 2, 5, 30, 49, 300])
    def test_sums(self, dtype: str, order: str, pooled: int) -> None:
        values = special_values(dtype)
        rows = mixtures(values[np.abs(values) != np.finfo(dtype).max], pooled)
        expected = rows.astype(np.float64).sum(axis=1)
        special = ~np.isfinite(expected)
        for exact in (False, True):
            hi, lo = sums(block_of(rows, order), exact)
            np.testing.assert_array_equal(hi.ravel()[special], expected[special])
            np.testing.assert_allclose(hi.ravel(), expected, rtol=1e-15)
            assert lo is None or (lo.ravel()[special] == 0).all()

    @each_float
    @both_orders
    @pytest.mark.parametrize("pooled", [1, 2, 3, 8, 49, 64, 101, 1000])
    def test_zeros_of_both_signs(self, dtype: str, order: str, pooled: int) -> None:
        """Either zero may come out, but no other value; sums of them are zero."""
        zeros = mixtures(np.array([0.0, -0.0], dtype), pooled)
        block = block_of(zeros, order)
        for got in (maxima(block), minima(block), *sums(block, False)):
            assert got is None or (got == 0).all()
        among_negatives = np.concatenate([zeros, np.full_like(zeros, -1)], axis=1)
        assert (maxima(block_of(among_negatives, order)) == 0).all()
        assert (minima(block_of(-among_negatives, order)) == 0).all()

    @each_float
    @both_orders
    @pytest.mark.parametrize("pooled", [1, 2, 3, 8, 49, 64, 101, 1000])
    def test_nan_of_every_payload_wins(self, dtype: str, order: str, pooled: int) -> None:
        others = np.concatenate([nan_payloads(dtype), special_values(dtype)])
        rows = mixtures(others, pooled)
        rows[:, -1] = np.resize(nan_payloads(dtype), len(rows))
        block = block_of(rows, order)
        for got in (maxima(block), minima(block), sums(block, False)[0], sums(block, True)[0]):
            assert np.isnan(got).all()
        # One NaN spoils its own cell alone.
        rows[1:, :] = 1.5
        block = block_of(rows, order)
        for got in (maxima(block), minima(block), sums(block, False)[0]):
            assert np.isnan(got).ravel().tolist() == [True] + [False] * (len(rows) - 1)

    @each_float
    @both_orders
    def test_subnormals(self, dtype: str, order: str) -> None:
        tiny = np.finfo(dtype).smallest_subnormal
        rows = np.array([[tiny] * 101, [-tiny] * 101, [0] * 100 + [tiny]], dtype)
        block = block_of(rows, order)
        for exact in (False, True):
            assert sums(block, exact)[0].ravel().tolist() == [101 * tiny, -101 * tiny, tiny]
        assert maxima(block).ravel().tolist() == [tiny, -tiny, tiny]
        assert minima(block).ravel().tolist() == [tiny, -tiny, 0]

    @both_orders
    def test_a_float64_sum_that_overflows_is_not_finite(self, order: str) -> None:
        """Whatever the order, also where it comes back: its caller must see it."""
        huge = np.finfo(np.float64).max
        rows = np.array([[huge] * 1000, [huge] * 500 + [-huge] * 500])
        hi, lo = sums(block_of(rows, order), False)
        assert lo is not None
        assert hi.ravel()[0] == np.inf
        assert not np.isfinite(hi.ravel()[1]) or hi.ravel()[1] == 0
        assert (lo.ravel()[~np.isfinite(hi.ravel())] == 0).all()


@each_dtype
@each_shape
def test_extremes_of_any_type(dtype: str, shape: Shape) -> None:
    block = samples(dtype, shape)
    for got, expected in [
        (maxima(block), plain(block).max(axis=1)),
        (minima(block), plain(block).min(axis=1)),
    ]:
        assert got.dtype == block.dtype
        np.testing.assert_array_equal(bits(got), bits(expected))


class TestSumsOfIntegers:
    @each_shape
    @pytest.mark.parametrize("dtype", ["b1", *INTEGERS])
    def test_exact(self, dtype: str, shape: Shape) -> None:
        limits = [0, 1] if dtype == "b1" else [np.iinfo(dtype).min, np.iinfo(dtype).max]
        for block in (samples(dtype, shape), *(np.full(shape, x, dtype) for x in limits)):
            hi, lo = sums(block, False)
            rows = rows_of(plain(block))
            for i in some(rows):
                exact = sum(rows[i].tolist())
                assert total_at(hi, lo, i) == exact
                assert hi.flat[i] == float(exact)

    @pytest.mark.parametrize("dtype", ["u4", "i4", "u8", "i8"])
    @pytest.mark.parametrize("inner", [1, 2])
    def test_as_many_as_a_block_may_have(self, dtype: str, inner: int) -> None:
        for value in (np.iinfo(dtype).min, np.iinfo(dtype).max - 12345):
            block = np.full((1, MAX_POOLED, inner), value, dtype)
            assert total_of(*sums(block, False)) == [int(value) * MAX_POOLED] * inner

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_any_values(self, data: st.DataObject) -> None:
        dtype = data.draw(st.sampled_from(INTEGERS))
        limits = np.iinfo(dtype)
        element = st.integers(int(limits.min), int(limits.max))
        values = data.draw(st.lists(element, min_size=1, max_size=60))
        repeats = data.draw(st.sampled_from([1, 3, 300]))
        order = data.draw(st.sampled_from(["first", "last"]))
        cells = data.draw(st.sampled_from([1, 3, 50]))
        rows = np.tile(np.array(values, dtype), (cells, repeats))
        block = block_of(rows, order)
        assert total_of(*sums(block, False)) == [sum(values) * repeats] * cells
        assert (maxima(block) == max(values)).all()
        assert (minima(block) == min(values)).all()


class TestSumsOfFloats:
    @each_float
    @plain_and_exact
    @each_shape
    def test_the_bound(self, dtype: str, exact: bool, shape: Shape) -> None:
        assert_within_the_bound(samples(dtype, shape), exact)

    @each_float
    @plain_and_exact
    @pytest.mark.parametrize("shape", [(1, 30001, 3), (300, 49, 1), (3, 3137, 1), (20, 196, 3)])
    def test_cancellation(self, dtype: str, exact: bool, shape: Shape) -> None:
        """Pairs of values of many sizes that cancel, and if anything a little is left."""
        outer, pooled, inner = shape
        half = samples(dtype, (outer, pooled // 2, inner))
        rest = np.full((outer, pooled % 2, inner), 1e-7, dtype)
        block = np.concatenate([half, -half, rest], axis=1)
        assert_within_the_bound(np.random.default_rng(3).permuted(block, axis=1), exact)

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_any_values(self, data: st.DataObject) -> None:
        dtype = data.draw(st.sampled_from(FLOATS))
        limit = 1e300 if dtype == "f8" else float(np.finfo(dtype).max)
        element = st.floats(-limit, limit, width=8 * np.dtype(dtype).itemsize)  # type: ignore[arg-type]
        values = data.draw(st.lists(element, min_size=1, max_size=40))
        row = np.tile(np.array(values, dtype), data.draw(st.sampled_from([1, 2, 7, 50])))
        if data.draw(st.booleans()):
            row = np.concatenate([row, -row, row[:1]])
        np.random.default_rng(data.draw(st.integers(0, 99))).shuffle(row)
        rows = np.tile(row, (data.draw(st.sampled_from([1, 4, 130])), 1))
        block = block_of(rows, data.draw(st.sampled_from(["first", "last"])))
        assert_within_the_bound(block, data.draw(st.booleans()))

    @plain_and_exact
    def test_a_million_tenths(self, exact: bool) -> None:
        block = np.full((1, 2**20, 2), 0.1)
        true = Fraction(0.1) * 2**20
        off = [abs(total - true) / true for total in total_of(*sums(block, exact))]
        assert max(off) <= bound(block.dtype, exact, 2**20)

    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    @pytest.mark.parametrize("shape", [(3, 700, 1), (700, 49, 1), (2, 300, 40)])
    def test_infinities_stay_in_their_cells(self, dtype: str, shape: Shape) -> None:
        block = samples(dtype, shape)
        block[0, 5, 0], block[1, 6, 0], block[1, 9, 0] = np.inf, np.inf, -np.inf
        for exact in (False, True):
            hi, lo = sums(block, exact)
            assert hi[0, 0] == np.inf
            assert np.isnan(hi[1, 0])
            assert np.isfinite(hi[:, 1:]).all()
            assert np.isfinite(hi[2:]).all()
            if lo is not None:
                assert np.isfinite(lo).all()
                assert (lo[:2, 0] == 0).all()


class TestLongCells:
    """A chunk of HDF5 may have more positions than one kernel takes."""

    @each_dtype
    @both_orders
    def test_they_are_cut(self, dtype: str, order: str, monkeypatch: Any) -> None:
        monkeypatch.setattr(kernels, "MAX_POOLED", 50)
        for pooled in (50, 51, 1234):
            block = block_of(samples(dtype, (3, pooled, 1))[:, :, 0], order)
            if dtype[0] == "f":
                assert_within_the_bound(block, True)
            else:
                exact = [sum(row.tolist()) for row in rows_of(plain(block))]
                assert total_of(*sums(block, False)) == exact

    @both_orders
    def test_infinities(self, order: str, monkeypatch: Any) -> None:
        monkeypatch.setattr(kernels, "MAX_POOLED", 50)
        rows = np.ones((3, 120), np.float32)
        rows[0, 7], rows[1, 7], rows[1, 111] = np.inf, np.inf, -np.inf
        hi, lo = sums(block_of(rows, order), False)
        np.testing.assert_array_equal(hi.ravel(), [np.inf, np.nan, 120])
        assert lo is not None
        assert (lo == 0).all()


@each_dtype
@pytest.mark.parametrize(
    "shape", [(1, 1, 5), (6, 1, 1), (1, 300, 3), (60, 49, 1), (2, 8, 64), (9, 2, 1)], ids=str
)
def test_answers_share_no_memory_with_later_ones(dtype: str, shape: Shape) -> None:
    block, other = samples(dtype, shape), samples(dtype, shape, seed=7)
    answers = [x for x in (*sums(block, False), maxima(block), minima(block)) if x is not None]
    before = [x.tobytes() for x in answers]
    sums(other, True), sums(other, False), maxima(other), minima(other)
    block[:] = other
    assert [x.tobytes() for x in answers] == before


def test_every_dtype_and_order_has_a_kernel() -> None:
    names = ["b1", *(kind + size for kind in "iu" for size in "1248"), *FLOATS]
    assert set(KERNELS) == {(name, order) for name in names for order in ("first", "last")}


@pytest.mark.parametrize("dtype", ["f2", "f4"])
@pytest.mark.parametrize(
    "shape",
    [
        *[(3, 1, 5), (2, 49, 64), (1, 3000, 3), (2, 5000, 2), (1, 9000, 70), (4, 700, 40)],
        *[(40, 7, 1), (30, 49, 1), (3, 8192, 1), (3, 9001, 1), (2, 200_000, 1)],
        *[(300, 49, 1), (4, 5000, 1), (9, 8193, 1), (1, 2, 300_000)],
    ],
    ids=str,
)
def test_sums_that_are_made_with_squares_have_the_bits_of_those_that_are_not(
    dtype: str, shape: Shape, monkeypatch: Any
) -> None:
    monkeypatch.setattr(kernels, "_FLOAT32_TILE", 1 << 17)
    rng = np.random.default_rng(5)
    # Exponents so far apart that every addition rounds; those of float16 never do.
    size = (
        2.0 ** rng.integers(-6, 7, shape) if dtype == "f2" else 2.0 ** rng.integers(-40, 41, shape)
    )
    block = (rng.normal(size=shape) * size).astype(dtype)
    block[-1, -1, -1] = -np.inf
    (hi, lo), squares = kernels.sums_and_squares(block)
    assert lo is None
    assert hi.tobytes() == sums(block, False)[0].tobytes()
    expected = np.square(block.astype(np.float64)).sum(axis=1)
    np.testing.assert_allclose(squares, expected, rtol=1e-12)


@each_dtype
@plain_and_exact
@pytest.mark.parametrize(
    "cells", [(1, 9, 1), (3, 5, 1), (1, 49, 1), (2, 9001, 1), (1, 40, 3)], ids=str
)
def test_a_cell_that_stands_alone_has_the_bits_it_has_among_others(
    dtype: str, exact: bool, cells: Shape
) -> None:
    if not kernels.cells_stand_alone(np.dtype(dtype), exact):
        return
    rng = np.random.default_rng(3)
    outer, pooled, inner = cells
    # What is left of these sums is what rounding makes of them.
    half = rng.normal(size=(6 * outer, pooled // 2, inner)) * 2.0 ** rng.integers(-6, 7, inner)
    rest = np.ones((6 * outer, pooled % 2, inner))
    among = np.concatenate([half, rest, -half], axis=1)
    with np.errstate(invalid="ignore"):
        among = among.astype(dtype)
    hi, lo = sums(among, exact)
    for first in range(0, len(among), outer):
        alone_hi, alone_lo = sums(among[first : first + outer].copy(), exact)
        assert alone_hi.tobytes() == hi[first : first + outer].tobytes()
        if lo is not None and alone_lo is not None:
            assert alone_lo.tobytes() == lo[first : first + outer].tobytes()
