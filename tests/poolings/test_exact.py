"""Double-double sums against exact fractions."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpool_cli.poolings.exact import ExactSum, two_product, two_sum

# Far from overflow and underflow, where the two error-free transformations are exact.
MODEST = st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
ALL = (slice(None),)


def one(number: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([number])


def sum_of(numbers: list[float]) -> ExactSum:
    total = ExactSum((1,))
    with np.errstate(all="ignore"):
        for number in numbers:
            total.add(ALL, one(number))
    return total


def value_of(total: ExactSum) -> Fraction:
    exponent = 0 if total.exponent is None else int(total.exponent[0])
    return (Fraction(total.hi[0]) + Fraction(total.lo[0])) * 2**exponent


@given(MODEST, MODEST)
def test_two_sum_loses_nothing(a: float, b: float) -> None:
    total, error = two_sum(one(a), one(b))
    assert Fraction(total[0]) + Fraction(error[0]) == Fraction(a) + Fraction(b)
    assert total[0] == a + b


@given(MODEST, MODEST)
def test_two_product_loses_nothing(a: float, b: float) -> None:
    product, error = two_product(one(a), one(b))
    assert Fraction(product[0]) + Fraction(error[0]) == Fraction(a) * Fraction(b)


@given(st.lists(FINITE, max_size=20))
def test_sums_keep_a_hundred_bits(numbers: list[float]) -> None:
    size = sum(abs(Fraction(x)) for x in numbers)
    # Cells whose sum overflows are kept in units of 2**64, and there the subnormals end earlier.
    bound = size * len(numbers) / 2**100 + Fraction(2) ** -1000 * (size > 2**1000)
    total = sum_of(numbers)
    assert abs(value_of(total) - sum(map(Fraction, numbers))) <= bound


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_the_quotient_is_rounded_once(numbers: list[float]) -> None:
    with np.errstate(all="ignore"):
        got = sum_of(numbers).divided_by(one(float(len(numbers))))[0]
    exact = sum(map(Fraction, numbers)) / len(numbers)
    size = float(sum(abs(Fraction(x)) for x in numbers) / len(numbers))
    assert abs(Fraction(got) - exact) <= Fraction(math.ulp(size))


def test_infinities_stay_what_ieee_makes_of_them() -> None:
    assert sum_of([math.inf, 1.0]).hi[0] == math.inf
    assert sum_of([1e308, 1e308, -math.inf]).hi[0] == -math.inf
    assert math.isnan(sum_of([math.inf, -math.inf]).hi[0])
    assert (sum_of([math.inf, 1.0]).lo == 0).all()


def test_a_sum_beyond_float64_comes_back() -> None:
    assert value_of(sum_of([1e308, 1e308, -1e308, -1e308, 1.0])) == 1


def test_only_the_cells_that_overflow_are_scaled() -> None:
    total = ExactSum((3,))
    with np.errstate(all="ignore"):
        for _ in range(3):
            total.add(ALL, np.array([1e308, 5e-324, math.inf]))
        means = total.divided_by(np.array([3.0]))
    assert total.exponent is not None
    assert total.exponent.tolist() == [64, 0, 0]
    assert means.tolist() == [1e308, 5e-324, math.inf]


def test_infinities_alone_scale_nothing() -> None:
    assert sum_of([math.inf, 1.0, -math.inf]).exponent is None


def test_what_a_sum_brings_along_is_kept() -> None:
    total = ExactSum((1,))
    for hi, lo in [(1.0, 2.0**-60), (0.0, 2.0**-61), (2.0**20, 2.0**-62)]:
        total.add(ALL, one(hi), one(lo))
    exact = 1 + 2**20 + sum(Fraction(2) ** -i for i in (60, 61, 62))
    assert value_of(total) == exact


def test_a_remainder_larger_than_the_sum_counts() -> None:
    total = ExactSum((1,))
    for number in [1e16, 1.0, -1e16]:
        total.add(ALL, one(number))
    assert total.divided_by(one(2.0)) == 0.5


def test_a_region_leaves_the_other_cells_alone() -> None:
    total = ExactSum((2, 3))
    for rows in [slice(0, 1), slice(1, 2), slice(1, 2)]:
        total.add((rows,), np.ones((1, 3)))
    assert total.hi.tolist() == [[1, 1, 1], [2, 2, 2]]
