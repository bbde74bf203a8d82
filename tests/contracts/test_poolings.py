"""What every pooling in the table promises; a new row is picked up by itself.

A row needs one line in `tests.contracts.expressions`: what it is in plain numpy.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gpool_cli import global_pool
from gpool_cli.errors import InputError
from gpool_cli.poolings import COMMANDS, TABLE, find_row, load_pooling, parse_pooling
from gpool_cli.poolings.interface import Cells, Grid, Pooling
from gpool_cli.poolings.state import State
from tests.contracts.expressions import HELD, Array, Held

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float16", "float32", "float64"]


def quick_or_slow(quick: Sequence[Any], slow: Iterable[Any]) -> list[Any]:
    """Parameters of a test; the slow run has all of them."""
    return [*quick, *(pytest.param(one, marks=pytest.mark.slow) for one in slow)]


def names(wanted: Callable[[Held], Any] = lambda held: True) -> list[Any]:
    """The names of what is held, those of a row with other parameters as slow ones."""
    held = [name for name in HELD if wanted(HELD[name])]
    rows = {parse_pooling(name).name: name for name in reversed(held)}
    first = [name for name in held if name in rows.values()]
    return quick_or_slow(first, [name for name in held if name not in first])


each_pooling = pytest.mark.parametrize("name", names())
each_merging = pytest.mark.parametrize("name", names(lambda held: held.merges))
each_level = pytest.mark.parametrize("name", names(lambda held: held.level))
each_dtype = pytest.mark.parametrize(
    "dtype",
    quick_or_slow(
        ["bool", "uint8", "int64", *FLOATS], [n for n in INTEGERS if n not in ("uint8", "int64")]
    ),
)
each_float = pytest.mark.parametrize("dtype", FLOATS)
each_without_nan = pytest.mark.parametrize(
    "dtype", quick_or_slow(["bool", "int64"], [name for name in INTEGERS if name != "int64"])
)
few_or_many = pytest.mark.parametrize("examples", quick_or_slow([20], [200]))


def load(name: str) -> Pooling:
    return load_pooling(parse_pooling(name))


def state_of(name: str, rows: Array) -> State:
    """The state that has seen these rows; an axis of rows, and one of channels."""
    state = State([load(name)], Grid((rows.shape[1],), rows.dtype))
    if len(rows):
        state.update((slice(None),), Cells(np.ascontiguousarray(rows)[np.newaxis]))
    return state


def merged(first: State, *others: State) -> State:
    for other in others:
        first.merge(other)
    return first


def state_of_parts(name: str, parts: Sequence[Array]) -> State:
    """The state after all parts, merged from theirs where the states of the pooling merge."""
    if HELD[name].merges:
        return merged(*(state_of(name, part) for part in parts))
    state = State([load(name)], Grid((parts[0].shape[1],), parts[0].dtype))
    while True:
        for part in filter(len, parts):
            state.update((slice(None),), Cells(np.ascontiguousarray(part)[np.newaxis]))
        if not state.again():
            return state


REFUSED = np.array("refused")


def answer(name: str, state: State) -> Array:
    """The result, or `REFUSED` where it does not fit."""
    try:
        return state.finish(load(name))
    except InputError:
        return REFUSED


def assert_same(got: Array, expected: Array) -> None:
    """Bit for bit."""
    assert got.dtype == expected.dtype
    assert got.tobytes() == expected.tobytes(), (got, expected)


def assert_near(name: str, got: Array, expected: Array, rows: Array, ulps: int = 0) -> None:
    """Within some units in the last place, taken at the size of the data or of the result."""
    assert got.dtype == expected.dtype, (got, expected)
    if got.dtype.kind != "f":
        assert_same(got, expected)
        return
    held = HELD[name]
    scale = 2.0**-12  # so that no sum overflows; an infinity has no size
    sizes = np.nan_to_num(np.abs(rows.astype(np.float64)) * scale, nan=0, posinf=0)
    with np.errstate(over="ignore"):
        size = sizes.sum(axis=0) / (1 if held.size == "sum" else max(1, len(rows))) / scale
    most = float(np.nextafter(np.finfo(got.dtype).max, 0))  # it has a next one
    own = np.nan_to_num(np.abs(expected.astype(np.float64)), nan=0, posinf=0)
    size = own if held.size == "nothing" else np.maximum(size, own)
    size = np.minimum(size, most).astype(got.dtype)
    with np.errstate(invalid="ignore"):
        apart = np.abs(got.astype(np.longdouble) - expected.astype(np.longdouble))
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    ulps = ulps or held.ulps
    allowed = ulps * np.spacing(size).astype(np.longdouble) + held.apart
    assert (same | (apart <= allowed)).all(), (got, expected)


def samples(dtype: str, shape: Sequence[int], seed: int = 0) -> Array:
    """Values over the whole range of an integer dtype, and of plain size for floats."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype in INTEGERS:
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    return (rng.standard_normal(shape) * 100).astype(dtype)


def fitting(name: str, dtype: str, shape: Sequence[int]) -> Array:
    """The same, of which a result fits its dtype for up to 64 of them."""
    values = samples(dtype, shape)
    return values // 64 if name == "sum" and dtype.endswith("int64") else values


class TestTable:
    def test_every_row_is_held_to_a_plain_expression(self) -> None:
        elsewhere = {"catavgmax"}  # it has tests of its own, as companions have
        named = {parse_pooling(name).name for name in HELD}
        assert {row.name for row in COMMANDS} - elsewhere == named

    @each_pooling
    def test_a_row_leads_to_its_pooling(self, name: str) -> None:
        pooling = load(name)
        assert pooling.name == parse_pooling(name).name
        assert pooling.needs
        assert pooling.formula
        assert pooling.source

    @each_pooling
    def test_the_help_is_one_sentence(self, name: str) -> None:
        row = find_row(name.partition(":")[0])
        assert row is not None
        assert row.help.endswith(".")
        assert "\n" not in row.help

    def test_names_and_aliases_are_said_once(self) -> None:
        names = [name for row in TABLE for name in (row.name, *row.aliases)]
        assert len(names) == len(set(names))

    def test_one_name_of_a_statistic_means_one_statistic(self) -> None:
        needs = [need for name in (*HELD, "catavgmax") for need in load(name).needs.items()]
        assert len(dict(needs)) == len(set(needs))


@st.composite
def three_parts(draw: st.DrawFn) -> tuple[Array, Array, Array]:
    dtype = np.dtype(draw(st.sampled_from(["float16", "float32", "float64", "int64", "bool"])))
    lengths = [draw(st.integers(0, 6)) for _ in range(3)]
    parts = [draw(hnp.arrays(dtype, (length, 2))) for length in lengths]
    return parts[0], parts[1], parts[2]


def for_all_parts(examples: int, check: Callable[[tuple[Array, ...]], None]) -> None:
    """Check that something holds for the values of a map in three parts."""
    settings(max_examples=examples, deadline=None)(given(three_parts())(check))()


class TestStatesAreAMonoid:
    @each_merging
    @few_or_many
    def test_a_state_that_saw_nothing_is_the_identity(self, name: str, examples: int) -> None:
        def check(parts: tuple[Array, ...]) -> None:
            rows = np.concatenate(parts)
            empty = rows[:0]
            alone = answer(name, state_of(name, rows))
            assert_same(answer(name, merged(state_of(name, empty), state_of(name, rows))), alone)
            assert_same(answer(name, merged(state_of(name, rows), state_of(name, empty))), alone)

        for_all_parts(examples, check)

    @each_merging
    @few_or_many
    def test_merging_is_associative(self, name: str, examples: int) -> None:
        def check(parts: tuple[Array, ...]) -> None:
            a, b, c = (lambda part=part: state_of(name, part) for part in parts)
            left = answer(name, merged(merged(a(), b()), c()))
            right = answer(name, merged(a(), merged(b(), c())))
            assert_near(name, left, right, np.concatenate(parts))

        for_all_parts(examples, check)

    @each_merging
    @few_or_many
    def test_merged_parts_are_the_whole(self, name: str, examples: int) -> None:
        def check(parts: tuple[Array, ...]) -> None:
            rows = np.concatenate(parts)
            whole = answer(name, state_of(name, rows))
            states = [state_of(name, part) for part in parts]
            assert_near(name, answer(name, merged(*states)), whole, rows)

        for_all_parts(examples, check)

    @pytest.mark.parametrize("name", ["lse", "lse:r=0.5"])
    def test_what_is_tiny_against_the_sharpness_is_as_near_as_it_says(self, name: str) -> None:
        parts = [np.array([[2.15e-12]], np.float32), np.zeros((3, 1), np.float32)]
        whole = answer(name, state_of(name, np.concatenate(parts)))
        joined = answer(name, merged(*(state_of(name, part) for part in parts)))
        assert_near(name, joined, whole, np.concatenate(parts))
        assert abs(float(whole[0]) - 2.15e-12 / 4) <= HELD[name].apart

    @each_merging
    @each_dtype
    def test_many_small_parts_are_the_whole(self, name: str, dtype: str) -> None:
        rows = samples(dtype, (300, 3))
        states = [state_of(name, part) for part in np.array_split(rows, 97)]
        whole = answer(name, state_of(name, rows))
        assert_near(name, answer(name, merged(*states)), whole, rows)

    @each_merging
    @each_dtype
    def test_two_empty_states_merge_into_an_empty_one(self, name: str, dtype: str) -> None:
        nothing = np.empty((0, 3), dtype)
        empty = answer(name, state_of(name, nothing))
        both = answer(name, merged(state_of(name, nothing), state_of(name, nothing)))
        assert_same(both, empty)
        if empty.dtype.kind == "f":
            assert np.isnan(empty).all()

    @each_merging
    @each_dtype
    def test_merging_leaves_the_other_state_alone(self, name: str, dtype: str) -> None:
        rows = samples(dtype, (6, 2))
        other = state_of(name, rows[:3])
        before = answer(name, other)
        merged(merged(state_of(name, rows[:0]), other), state_of(name, rows[3:]))
        assert_same(answer(name, other), before)

    def test_poolings_that_share_statistics_answer_as_if_alone(self) -> None:
        rows = samples("float32", (50, 3))
        together = State([load(name) for name in HELD], Grid((3,), rows.dtype))
        together.update((slice(None),), Cells(rows[np.newaxis]))
        for name in HELD:
            assert_same(together.finish(load(name)), answer(name, state_of(name, rows)))


class TestAgainstPlainNumpy:
    @each_pooling
    @each_dtype
    def test_equal_to_the_plain_expression(self, name: str, dtype: str) -> None:
        values = fitting(name, dtype, (5, 7, 3))
        rows = values.reshape(-1, 3)
        result = HELD[name].dtype(dtype)
        wide = rows.astype(np.float64) if result.kind == "f" else rows

        got = global_pool(values, name, layout="HWC")

        assert got.shape == (1, 1, 3)
        # 35 values: numpy's own float64 mean may be some ulp off.
        assert_near(name, got.reshape(3), HELD[name].plain(wide, 0).astype(result), rows, ulps=32)

    @each_pooling
    @each_dtype
    def test_the_results_dtype(self, name: str, dtype: str) -> None:
        got = global_pool(np.ones((2, 2, 2), dtype), name)
        assert got.dtype == HELD[name].dtype(dtype)
        assert got.dtype.isnative
        assert got.flags.c_contiguous

    @each_pooling
    @pytest.mark.parametrize("axes", quick_or_slow(["LC", "HWC", "NHWC"], ["NDHWC"]))
    @pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
    def test_every_order_of_the_axes_gives_the_same(self, name: str, axes: str, dtype: str) -> None:
        # Whole numbers: their sums are exact in any order.
        sizes = {"N": 2, "D": 2, "H": 3, "W": 4, "L": 6, "C": 5}
        values = samples("int8", [sizes[letter] for letter in axes]).astype(dtype)
        expected = global_pool(values, name, layout=axes)
        for order in itertools.permutations(range(len(axes))):
            layout = "".join(axes[i] for i in order)
            moved = np.ascontiguousarray(values.transpose(order))
            assert_same(global_pool(moved, name, layout=layout), expected)
            kept = global_pool(moved, name, layout=layout, shape="keepdims")
            assert_same(kept, np.ascontiguousarray(expected.transpose(order)))

    @each_pooling
    def test_axes_of_length_1(self, name: str) -> None:
        values = samples("float32", (2, 3, 5))
        for layout, shape in [("HWC", (1, 1, 5)), ("HCW", (2, 1, 5)), ("CHW", (1, 4, 1))]:
            part = values[: shape[0], : shape[1], : shape[2]].copy()
            axes = tuple(i for i, letter in enumerate(layout) if letter != "C")
            flat = part.transpose(*axes, layout.index("C")).reshape(
                -1, part.shape[layout.index("C")]
            )
            got = global_pool(part, name, layout=layout, shape="flat")
            expected = HELD[name].plain(flat.astype(np.float64), 0).astype(got.dtype)
            assert_near(name, got, expected, flat, 1)


class TestNaN:
    @each_pooling
    @each_float
    def test_propagate_spoils_its_own_channel_alone(self, name: str, dtype: str) -> None:
        values = samples(dtype, (4, 4, 3))
        clean = global_pool(values, name)
        values[2, 1, 1] = np.nan
        got = global_pool(values, name)
        assert np.isnan(got[0, 0, 1])
        assert_same(got[..., ::2].copy(), clean[..., ::2].copy())

    @each_pooling
    @each_float
    def test_omit_pools_the_rest(self, name: str, dtype: str) -> None:
        values = samples(dtype, (40, 2))
        values[::3, 0] = np.nan
        rest = values[~np.isnan(values[:, 0]), :1]
        got = global_pool(values, name, layout="LC", nan="omit", shape="flat")
        assert_near(
            name, got[:1], HELD[name].plain(rest.astype(np.float64), 0).astype(got.dtype), rest, 16
        )
        assert_same(got[1:], global_pool(values[:, 1:], name, layout="LC", shape="flat"))

    @each_pooling
    @each_float
    def test_omit_keeps_infinities(self, name: str, dtype: str) -> None:
        values = np.array([[np.nan], [np.inf], [1]], dtype)
        with np.errstate(invalid="ignore"):
            expected = HELD[name].plain(values[1:].astype(np.float64), 0)
        got = global_pool(values, name, layout="LC", nan="omit", shape="flat")
        np.testing.assert_array_equal(got.astype(np.float64), expected)

    @each_pooling
    @each_float
    def test_a_channel_of_nan_alone_is_nan(self, name: str, dtype: str) -> None:
        values = np.array([[np.nan, 1], [np.nan, 1]], dtype)
        got = global_pool(values, name, layout="LC", nan="omit", shape="flat")
        assert np.isnan(got[0])
        assert not np.isnan(got[1])

    @each_pooling
    @each_float
    def test_error(self, name: str, dtype: str) -> None:
        values = samples(dtype, (4, 4, 3))
        global_pool(values, name, nan="error")
        values[0, 0, 0] = np.nan
        with pytest.raises(InputError, match=r"holds NaN \(.*--nan omit"):
            global_pool(values, name, nan="error")

    @each_pooling
    @each_without_nan
    @pytest.mark.parametrize("nan", ["omit", "error"])
    def test_integers_have_none(self, name: str, dtype: str, nan: Any) -> None:
        values = fitting(name, dtype, (4, 4, 3))
        assert_same(global_pool(values, name, nan=nan), global_pool(values, name))


HUGE = float(np.finfo(np.float64).max)
EXTREMES = {
    "float16 sum beyond float16": ("float16", [65504] * 50 + [60000] * 3),
    "float16 subnormals": ("float16", [6e-8, 6e-8, 1.2e-7]),
    "float32 sum beyond float32": ("float32", [1e38, 3.4e38, 3e38, 2e38]),
    "float32 cancels": ("float32", [3e38, -3e38, 1.0, 3e38, -3e38]),
    "float32 subnormals": ("float32", [1e-45, 3e-45, 1e-40]),
    "float64 sum beyond float64": ("float64", [1e308] * 9 + [1.5e308]),
    "float64 negative sum beyond float64": ("float64", [-1e308] * 9 + [-1.5e308]),
    "float64 the largest": ("float64", [HUGE] * 7),
    "float64 the largest cancel": ("float64", [HUGE, HUGE, HUGE, -HUGE, -HUGE, 1.0]),
    "float64 huge beside tiny": ("float64", [HUGE, 5e-324]),
    "float64 subnormals": ("float64", [5e-324, 1e-323, 1e-310]),
    "float64 cancels": ("float64", [1e16, 1.0, -1e16, 1.0] * 5),
    "int64 largest": ("int64", [2**63 - 1, 2**63 - 1, 2**63 - 2]),
    "int64 both ends": ("int64", [-(2**63), 2**63 - 1, 2**63 - 1]),
    "uint64 largest": ("uint64", [2**64 - 1, 2**64 - 1, 2**64 - 2]),
    "uint64 odd beyond 2**53": ("uint64", [2**53 + 1, 2**53 + 3]),
}


def rounded(value: Fraction, dtype: np.dtype[Any]) -> Array:
    """A true result in its dtype, or `REFUSED` where it does not fit."""
    if dtype.kind != "f":
        limits = np.iinfo(dtype)
        fits = limits.min <= value <= limits.max
        return np.array([int(value)], dtype) if fits else REFUSED
    try:
        wide = np.array([float(value)])
    except OverflowError:
        return REFUSED
    with np.errstate(over="ignore"):
        narrow = wide.astype(dtype)
    return narrow if np.isfinite(narrow).all() else REFUSED


class TestExtremes:
    @pytest.mark.parametrize("name", names(lambda held: held.exact))
    @pytest.mark.parametrize("cuts", quick_or_slow([3], [1, 2]), ids=lambda n: f"{n} blocks")
    @pytest.mark.parametrize("case", EXTREMES)
    def test_as_exact_as_fractions(self, name: str, case: str, cuts: int) -> None:
        dtype, values = EXTREMES[case]
        rows = np.array(values, dtype)[:, np.newaxis]
        result = HELD[name].dtype(dtype)
        exact = HELD[name].exact
        assert exact is not None
        expected = rounded(exact([Fraction(x.item()) for x in rows[:, 0]]), result)
        state = state_of_parts(name, np.array_split(rows, cuts))
        ulps = HELD[name].ulps if dtype.endswith("64") else 1
        assert_near(name, answer(name, state), expected, rows, ulps)

    @each_pooling
    @each_float
    @pytest.mark.parametrize("cuts", quick_or_slow([3], [1]), ids=lambda n: f"{n} blocks")
    @pytest.mark.parametrize(
        "values",
        [
            [np.inf, 1, 2],
            [1, np.inf, np.inf],
            [-np.inf, -1, -2],
            [-np.inf] * 3,
            [np.inf, 1, -np.inf],
            [np.inf, np.nan, 1],
            [1e4, np.inf, -1e4],
        ],
        ids=str,
    )
    def test_infinities(self, name: str, dtype: str, values: list[float], cuts: int) -> None:
        rows = np.array(values, dtype)[:, np.newaxis]
        with np.errstate(invalid="ignore"):
            expected = HELD[name].plain(rows.astype(np.float64), 0)
        state = state_of_parts(name, np.array_split(rows, cuts))
        got = answer(name, state)
        np.testing.assert_array_equal(got, expected.astype(got.dtype))

    @pytest.mark.parametrize("name", [name for name in HELD if not name.startswith("gem")])
    @each_float
    def test_zero_is_positive(self, name: str, dtype: str) -> None:
        for values in ([-0.0, -0.0], [-0.0, 0.0], [0.0, -0.0]):
            got = global_pool(np.array(values, dtype)[:, np.newaxis], name, layout="LC")
            assert got.tobytes() == bytes(got.nbytes)

    @each_pooling
    @pytest.mark.parametrize(
        ("dtype", "bits"),
        [
            ("float16", [0xFE00, 0x7E01, 0xFFFF]),
            ("float32", [0xFFC00000, 0x7FC00001, 0xFFFFFFFF]),
            ("float64", [0xFFF8 << 48, (0x7FF8 << 48) + 1, (1 << 64) - 1]),
        ],
    )
    def test_nan_is_the_canonical_one(self, name: str, dtype: str, bits: list[int]) -> None:
        values = np.array(bits, f"u{np.dtype(dtype).itemsize}").view(dtype)
        for nan in values:
            got = global_pool(np.array([[1], [nan]], dtype), name, layout="LC")
            canonical = {2: 0x7E00, 4: 0x7FC00000, 8: 0x7FF8 << 48}[got.dtype.itemsize]
            assert got.view(f"u{got.dtype.itemsize}").item() == canonical


class TestAskedDtype:
    @each_pooling
    @each_dtype
    @pytest.mark.parametrize("asked", quick_or_slow(["float64"], ["float32"]))
    def test_floats_hold_every_result_of_their_range(
        self, name: str, dtype: str, asked: str
    ) -> None:
        values = fitting(name, dtype, (3, 3, 2))
        got = global_pool(values, name, dtype=asked)
        assert got.dtype == asked
        own = global_pool(values, name).astype(asked)
        assert_near(name, got.reshape(2), own.reshape(2), values.reshape(-1, 2), 2**30)

    @each_level
    @pytest.mark.parametrize(
        ("dtype", "value", "asked"),
        [
            ("float32", 70000, "float16"),
            ("float64", 1e39, "float32"),
            ("float64", -1e39, "float32"),
            ("uint32", 70000, "float16"),
            ("int64", 300, "uint8"),
            ("int64", -1, "uint64"),
            ("uint64", 2**63, "int64"),
            ("float32", 128, "int8"),
            ("float64", 2.0**63, "int64"),
            ("float64", np.inf, "int32"),
            ("uint8", 2, "bool"),
        ],
    )
    def test_a_value_that_does_not_fit(
        self, name: str, dtype: str, value: float, asked: str
    ) -> None:
        values = np.full((2, 1), value, dtype)
        with pytest.raises(InputError, match=rf"does not fit {asked} \(.*--dtype"):
            global_pool(values, name, layout="LC", dtype=asked)

    @each_level
    @pytest.mark.parametrize(
        ("dtype", "value", "asked"),
        [
            ("float32", 65504, "float16"),
            ("float32", np.inf, "float16"),
            ("float64", 2.0**63 - 1024, "int64"),
            ("float64", -(2.0**63), "int64"),
            ("float16", 255, "uint8"),
            ("int64", -128, "int8"),
            ("uint8", 1, "bool"),
        ],
    )
    def test_a_value_that_just_fits(self, name: str, dtype: str, value: float, asked: str) -> None:
        values = np.full((2, 1), value, dtype)
        got = global_pool(values, name, layout="LC", dtype=asked)
        assert got.dtype == asked
        assert got.item() == value

    @each_level
    def test_a_fraction_is_no_integer(self, name: str) -> None:
        with pytest.raises(InputError, match="result 0.5 is a fraction, and does not fit int32"):
            global_pool(np.full((2, 1), 0.5), name, layout="LC", dtype="int32")

    @each_level
    def test_nan_is_no_integer(self, name: str) -> None:
        with pytest.raises(InputError, match="result nan does not fit int32"):
            global_pool(np.full((2, 1), np.nan), name, layout="LC", dtype="int32")
