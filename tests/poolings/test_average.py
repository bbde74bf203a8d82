"""avg is the true mean of the stored values, within the bound that design.md states."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpool_cli import global_pool
from gpool_cli.layout import Layout
from gpool_cli.model import Block
from gpool_cli.poolings.average import AVG, average_dtype
from gpool_cli.poolings.cells import as_cells, grid_shape, region_of
from gpool_cli.poolings.interface import Cells, Grid
from gpool_cli.poolings.state import State

Array = np.ndarray[Any, np.dtype[Any]]

DTYPES = [
    *("float16", "float32", "float64", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
]
NO_POOLED = str.maketrans("", "", "HWLTXY")


def ulps_allowed(dtype: np.dtype[Any]) -> int:
    return 4 if dtype.itemsize == 8 else 1


def ulp(size: Fraction, dtype: np.dtype[Any]) -> Fraction:
    """The distance of floats at this size, as a number without rounding."""
    info = np.finfo(dtype)
    exponent = math.frexp(float(size))[1] - 1 if size else -math.inf
    return Fraction(2) ** int(max(exponent, info.minexp) - info.nmant)


def exact_sum(values: Iterable[float]) -> Fraction:
    """The sum without rounding: of numbers of whole units, which are a power of two for floats."""
    parts = [x.as_integer_ratio() for x in values]
    unit = max(unit for _, unit in parts)
    return Fraction(sum(count * (unit // own) for count, own in parts), unit)


def assert_is_the_mean(got: np.generic, values: Array, ulps: int) -> None:
    """Hold a mean against the exact one, in units in the last place at the mean of abs(x)."""
    mean = exact_sum(values.ravel().tolist()) / values.size
    size = exact_sum(map(abs, values.ravel().tolist())) / values.size
    # `math.fsum(values) / n` is this number, but for sums that float64 can't hold.
    off = abs(Fraction(got.item()) - Fraction(float(mean)))
    unit = ulp(size, got.dtype)
    assert off <= ulps * unit, f"{float(off / unit):.3g} ulp off: {got!r}, truly {float(mean)!r}"


def assert_are_the_means(got: Array, values: Array, layout: str, ulps: int) -> None:
    """Every channel of every map of a result with N x C values."""
    letters = [letter for letter in "NC" if letter in layout]
    rows = np.moveaxis(values, [layout.index(c) for c in letters], range(len(letters)))
    rows = rows.reshape(got.size, -1)
    for value, row in zip(got.ravel(), rows, strict=True):
        assert_is_the_mean(value, row, ulps)


def cut(values: Array, cuts: Sequence[Sequence[int]]) -> Iterator[tuple[Block, Array]]:
    """Boxes: every axis cut at its own places."""
    spans = []
    for length, places in zip(values.shape, cuts, strict=True):
        ends = sorted({0, length, *(place % (length + 1) for place in places)})
        spans.append(list(itertools.pairwise(ends)))
    for box in itertools.product(*spans):
        part = values[tuple(slice(a, b) for a, b in box)]
        yield Block(tuple(a for a, _ in box), part.shape), np.ascontiguousarray(part)


def averaged(values: Array, axes: str, cuts: Sequence[Sequence[int]], exact: bool = False) -> Array:
    layout = Layout(axes)
    state = State([AVG], Grid(grid_shape(values.shape, layout), values.dtype, exact))
    for block, part in cut(values, cuts):
        state.update(region_of(block, layout), Cells(as_cells(part, layout)))
    result = state.finish(AVG, np.dtype(np.float64) if exact else None)
    return result.T if "CN" in axes.translate(NO_POOLED) else result  # N stands first


@st.composite
def numbers(draw: st.DrawFn, dtype: np.dtype[Any], count: int) -> Array:
    """Values of every size, and often such as cancel each other."""
    if dtype.kind == "b":
        element: st.SearchStrategy[Any] = st.booleans()
    elif dtype.kind == "f":
        element = st.floats(width=8 * dtype.itemsize, allow_nan=False, allow_infinity=False)
    else:
        limits = np.iinfo(dtype)
        element = st.integers(int(limits.min), int(limits.max))
    some = draw(st.lists(element, min_size=1, max_size=12))
    seed = draw(st.integers(0, 2**32 - 1))
    values = np.random.default_rng(seed).choice(np.array(some, dtype), count)
    if dtype.kind == "f" and draw(st.booleans()):
        half = count // 2
        values[half : 2 * half] = -values[:half]
        np.random.default_rng(seed).shuffle(values)
    return values


@st.composite
def maps(draw: st.DrawFn, dtypes: Sequence[str]) -> tuple[Array, str, list[list[int]]]:
    """A map, its layout, and where its axes are cut."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    kept = draw(st.sampled_from(["", "C", "N", "NC"]))
    pooled = draw(st.sampled_from(["L", "HW", "THW", "XY"]))
    axes = "".join(draw(st.permutations(list(kept + pooled))))
    shape = [draw(st.integers(1, 3 if c in "NC" else 9)) for c in axes]
    values = draw(numbers(dtype, math.prod(shape))).reshape(shape)
    cuts = [draw(st.lists(st.integers(0, 9), max_size=3)) for _ in axes]
    return values, axes, cuts


class TestTheBound:
    @settings(max_examples=300, deadline=None)
    @given(maps(DTYPES))
    def test_any_dtype_layout_and_cut(self, drawn: tuple[Array, str, list[list[int]]]) -> None:
        values, axes, cuts = drawn
        got = averaged(values, axes, cuts)
        assert got.dtype == average_dtype(values.dtype)
        assert_are_the_means(got, values, axes, ulps_allowed(values.dtype))

    @settings(max_examples=150, deadline=None)
    @given(maps(["float16", "float32", "int16", "int32", "bool"]))
    def test_float64_asked_of_narrower_values(
        self, drawn: tuple[Array, str, list[list[int]]]
    ) -> None:
        values, axes, cuts = drawn
        assert_are_the_means(averaged(values, axes, cuts, exact=True), values, axes, 1)

    @settings(max_examples=100, deadline=None)
    @given(maps(DTYPES))
    def test_the_api_keeps_it_too(self, drawn: tuple[Array, str, list[list[int]]]) -> None:
        values, axes, _ = drawn
        got = global_pool(values, "avg", layout=axes)
        assert_are_the_means(got, values, axes, ulps_allowed(values.dtype))

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    @pytest.mark.parametrize("count", [2**12, 2**12 + 1, 70001])
    @pytest.mark.parametrize("layout", ["LC", "CL"])
    def test_cancellation(self, dtype: str, count: int, layout: str) -> None:
        """Pairs of large values that leave a small mean."""
        rng = np.random.default_rng(count)
        large = (rng.standard_normal(count // 2) * 1000).astype(dtype)
        small = (rng.standard_normal(count - 2 * len(large)) / 1000).astype(dtype)
        values = np.concatenate([large, -large, small])
        rng.shuffle(values)
        values = values.reshape((-1, 1) if layout == "LC" else (1, -1))
        got = global_pool(values, "avg", layout=layout)
        assert_are_the_means(got, values, layout, ulps_allowed(values.dtype))


class TestLargeMaps:
    @pytest.mark.parametrize(
        "places", [[], [2**19 + 1], range(0, 2**20, 10007)], ids=["whole", "two", "many"]
    )
    def test_a_million_rows_of_a_tenth(self, places: Sequence[int]) -> None:
        """Summed plainly these are 1e5 ulp off."""
        values = np.full((2**20, 2), 0.1)
        got = averaged(values, "LC", [places, []])
        assert (np.abs(got - 0.1) <= 4 * np.spacing(0.1)).all()
        assert (np.abs(global_pool(values, layout="LC") - 0.1) <= 4 * np.spacing(0.1)).all()

    @pytest.mark.parametrize("layout", ["LC", "CL"])
    def test_a_million_float32_as_float64(self, layout: str) -> None:
        tenth = np.float32(0.1)
        shape = (2**20, 2) if layout == "LC" else (2, 2**20)
        got = global_pool(np.full(shape, tenth), layout=layout, dtype="float64")
        assert got.dtype == np.float64
        assert (np.abs(got - float(tenth)) <= np.spacing(float(tenth))).all()

    @pytest.mark.parametrize("layout", ["LC", "CL"])
    def test_float32_of_all_sizes_as_float64(self, layout: str) -> None:
        """A running float64 sum of these is many ulp off."""
        values = np.random.default_rng(7).lognormal(0, 5, (2**18, 2)).astype(np.float32)
        means = [math.fsum(channel.tolist()) / len(channel) for channel in values.T]
        moved = values if layout == "LC" else np.ascontiguousarray(values.T)
        got = global_pool(moved, layout=layout, dtype="float64").ravel()
        assert (np.abs(got - means) <= np.spacing(means)).all()

    def test_a_large_float32_map(self) -> None:
        """numpy's own mean over (0, 1) is a running float32 sum here: 3.9 % off for thirds."""
        channels = np.array([1 / 3, 0.1, -1 / 3, 1000.1], np.float32)
        values = np.empty((4096, 4096, 4), np.float32)
        values[:] = channels
        got = global_pool(values, layout="HWC").ravel()
        assert got.dtype == np.float32
        assert (np.abs(got - channels) <= np.spacing(np.abs(channels))).all()

    @pytest.mark.parametrize("dtype", ["int64", "uint64"])
    def test_integers_whose_sum_no_int64_holds(self, dtype: str) -> None:
        largest = np.iinfo(dtype).max
        values = np.full((2**13, 2), largest, dtype)
        values[::2, 1] -= 1000
        got = global_pool(values, layout="LC", shape="flat")
        assert_is_the_mean(got[0], values[:, 0], 1)
        assert_is_the_mean(got[1], values[:, 1], 1)

    def test_float16_sums_beyond_float16(self) -> None:
        values = np.full((64, 64, 3), 65504, np.float16)
        got = global_pool(values, layout="HWC")
        assert got.dtype == np.float32
        assert (got == 65504).all()


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        *((d, "float32") for d in ("bool", "int8", "uint8", "int16", "uint16")),
        *((d, "float32") for d in ("float16", "float32")),
        *((d, "float64") for d in ("int32", "uint32", "int64", "uint64", "float64")),
    ],
)
def test_dtype_of_the_mean(dtype: str, expected: str) -> None:
    assert average_dtype(np.dtype(dtype)) == expected


def test_the_yardstick_measures() -> None:
    """A mean that is off by more than the bound does not pass."""
    values = np.array([1.0, 2.0, 4.0])
    right = np.float64(7 / 3)
    assert_is_the_mean(right, values, 1)
    with pytest.raises(AssertionError, match="5 ulp off"):
        assert_is_the_mean(right + 5 * np.spacing(right), values, 4)
    assert ulp(Fraction(1), np.dtype("float32")) == Fraction(2) ** -23
    assert ulp(Fraction(0), np.dtype("float64")) == Fraction(2) ** -1074
