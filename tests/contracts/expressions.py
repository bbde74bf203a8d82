"""What the rows of the table of poolings are held to: plain numpy, and exact fractions."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Plain = Callable[[Array, int], Array]
Exact = Callable[[Sequence[Fraction]], Fraction]


def same_dtype(dtype: str) -> np.dtype[Any]:
    return np.dtype(dtype)


def average_dtype(dtype: str) -> np.dtype[Any]:
    return np.result_type(dtype, np.float32)


def sum_dtype(dtype: str) -> np.dtype[Any]:
    kind = np.dtype(dtype).kind
    return average_dtype(dtype) if kind == "f" else np.dtype("u8" if kind == "u" else "i8")


@dataclass(frozen=True)
class Held:
    """What a row is held to.

    Attributes:
        plain: The expression in plain numpy, along one axis, for float64 or the integers.
        exact: The same for the values of a channel as fractions, rounded nowhere; None where it
            can't be written so.
        dtype: From the input's dtype to the result's.
        level: A channel of one value everywhere gives that value.
        size: What the ulp is taken at, beside the result: the ``mean`` of abs(x), its ``sum``, or
            ``nothing``.
        ulps: How far off a float64 result may be.
        apart: How far off it may be whatever its size.
        merges: Its states merge.
    """

    plain: Plain
    exact: Exact | None = None
    dtype: Callable[[str], np.dtype[Any]] = average_dtype
    level: bool = False
    size: str = "mean"
    ulps: int = 4
    apart: float = 0
    merges: bool = True


def root(x: Fraction) -> Fraction:
    """The square root to 400 bits."""
    scale = 4 ** (2400 if x else 0)
    return Fraction(math.isqrt(int(x * scale)), math.isqrt(scale))


def mean(x: Sequence[Fraction]) -> Fraction:
    return sum(x, Fraction(0)) / len(x)


def variance(ddof: int) -> Exact:
    return lambda x: sum((v - mean(x)) ** 2 for v in x) / Fraction(len(x) - ddof)


def plain_variance(ddof: int) -> Plain:
    def plain(x: Array, axis: int) -> Array:
        n = x.shape[axis]
        return x.var(axis=axis) * (n / (n - ddof) if n > ddof else np.nan)

    return plain


def exact_norm(x: Sequence[Fraction]) -> Fraction:
    return root(sum((v * v for v in x), Fraction(0)))


def quantile(q: float) -> Plain:
    def plain(x: Array, axis: int) -> Array:
        place = q * (x.shape[axis] - 1)
        low, share = int(place), place - int(place)
        rows = np.sort(x, axis=axis)
        a, b = rows[low], rows[min(low + 1, len(rows) - 1)]
        line = a.copy() if share == 0 else np.where(a == b, a, a * (1 - share) + b * share)
        return np.where(np.isnan(x.astype(np.float64)).any(axis=axis), np.nan, line)

    return plain


def exact_quantile(q: float) -> Exact:
    def exact(x: Sequence[Fraction]) -> Fraction:
        place = q * (len(x) - 1)
        low, share = int(place), Fraction(place) - int(place)
        rows = sorted(x)
        return rows[low] + (rows[min(low + 1, len(x) - 1)] - rows[low]) * share

    return exact


def generalized_mean(p: float, eps: float) -> Plain:
    def plain(x: Array, axis: int) -> Array:
        taken = np.maximum(x.astype(np.float64), eps)
        top = taken.max(axis=axis)
        share = ((taken / top) ** p).mean(axis=axis)
        return np.where(np.isfinite(top), top * share ** (1 / p), top)

    return plain


def lp_norm(p: float) -> Plain:
    def plain(x: Array, axis: int) -> Array:
        sizes = abs(x.astype(np.float64))
        top = sizes.max(axis=axis)
        total = ((sizes / np.where(top > 0, top, 1)) ** p).sum(axis=axis)
        return np.where(np.isfinite(top), top * total ** (1 / p), top)

    return plain


def log_sum_exp(r: float) -> Plain:
    def plain(x: Array, axis: int) -> Array:
        top = x.astype(np.float64).max(axis=axis)
        smooth = top + np.log(np.exp(r * (x - top)).mean(axis=axis)) / r
        return np.where(np.isfinite(top), smooth, top)

    return plain


def mean_of_largest(k: int) -> Plain:
    return lambda x, axis: np.sort(x, axis=axis)[-k:].mean(axis=axis)


def exact_mean_of_largest(k: int) -> Exact:
    return lambda x: mean(sorted(x)[-k:])


# By what is asked for: every row of the table, some with several parameters.
HELD: dict[str, Held] = {
    "avg": Held(lambda x, axis: x.mean(axis=axis), mean, level=True),
    "max": Held(lambda x, axis: x.max(axis=axis), max, same_dtype, level=True),
    "min": Held(lambda x, axis: x.min(axis=axis), min, same_dtype, level=True),
    "range": Held(lambda x, axis: x.max(axis=axis) - x.min(axis=axis), lambda x: max(x) - min(x)),
    "sum": Held(
        lambda x, axis: x.sum(axis=axis), lambda x: sum(x, Fraction(0)), sum_dtype, size="sum"
    ),
    "l1": Held(
        lambda x, axis: abs(x).sum(axis=axis), lambda x: sum(map(abs, x), Fraction(0)), size="sum"
    ),
    "l2": Held(lambda x, axis: np.sqrt(np.square(x).sum(axis=axis)), exact_norm, size="nothing"),
    "rms": Held(
        lambda x, axis: np.sqrt(np.square(x).mean(axis=axis)),
        lambda x: root(mean([v * v for v in x])),
        size="nothing",
    ),
    "var": Held(lambda x, axis: x.var(axis=axis), variance(0), size="nothing", ulps=8),
    "var:ddof=1": Held(plain_variance(1), variance(1), size="nothing", ulps=8),
    "std": Held(
        lambda x, axis: x.std(axis=axis), lambda x: root(variance(0)(x)), size="nothing", ulps=8
    ),
    "avgmax": Held(
        lambda x, axis: x.mean(axis=axis) / 2 + x.max(axis=axis) / 2,
        lambda x: (mean(x) + max(x)) / 2,
        level=True,
    ),
    "lp": Held(lp_norm(2), exact_norm, size="nothing", ulps=16),
    "lp:p=3": Held(lp_norm(3), ulps=16),
    "lp:p=2.5": Held(lp_norm(2.5), ulps=16),
    "gem": Held(generalized_mean(3, 1e-6), ulps=16),
    "gem:eps=0.001,p=2.5": Held(generalized_mean(2.5, 0.001), ulps=16),
    "lse": Held(log_sum_exp(10), ulps=16, apart=2**-48 / 10),
    "lse:r=0.5": Held(log_sum_exp(0.5), ulps=16, apart=2**-48 / 0.5),
    "topk:k=2": Held(mean_of_largest(2), exact_mean_of_largest(2), level=True),
    "topk:k=1000": Held(mean_of_largest(1000), mean, level=True),
    "median": Held(quantile(0.5), exact_quantile(0.5), level=True, merges=False),
    "quantile:q=0.9": Held(quantile(0.9), exact_quantile(0.9), merges=False),
}
