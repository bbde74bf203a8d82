"""What follows from mean and spread: variance, standard deviation, L2 norm, root mean square."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from gpool_cli.poolings.dtypes import average_dtype
from gpool_cli.poolings.interface import Array, Floats, Pooling
from gpool_cli.poolings.moments import Known, Moments, rooted, unsquared
from gpool_cli.poolings.overflow import refuse_overflow
from gpool_cli.poolings.statistics import Maximum, Minimum

_MOMENTS = {"moments": Moments}

# Five float64 and a byte, twice while parts merge.
_CELL_BYTES = 82


def var(ddof: float) -> Pooling:
    """The variance: M / (n - ddof), with M the sum of (x - mean)**2.

    Within 1 ulp of float32 for what gives float32; otherwise within 8 ulp of the true one. A
    channel with n <= ddof, or with an infinity, is NaN.
    """
    return Pooling(
        name="var",
        needs=_MOMENTS,
        finish=partial(_finish_var, ddof),
        result_dtype=average_dtype,
        cell_bytes=_CELL_BYTES,
        formula="sum((x - mean(x))**2) / (n - ddof)",
        source="numpy.var; Chan, Golub, LeVeque (The American Statistician 37, 1983)",
    )


def std(ddof: float) -> Pooling:
    """The root of the variance, with half its relative error."""
    return Pooling(
        name="std",
        needs=_MOMENTS,
        finish=partial(_finish_std, ddof),
        result_dtype=average_dtype,
        cell_bytes=_CELL_BYTES,
        formula="sqrt(sum((x - mean(x))**2) / (n - ddof))",
        source="numpy.std; statistics pooling: Snyder et al. (Interspeech 2017)",
    )


def _variance(known: Known, ddof: float) -> Floats:
    """In squared units; NaN where there are too few values."""
    free = known.size - ddof
    variance = (known.spread + known.spread_lo) / free
    # Infinite distances may have met in a sum that is infinite and no NaN.
    if not np.isfinite(variance).all() or free.min() <= 0:
        variance = np.where(np.isfinite(variance) & (free > 0), variance, np.nan)
    return variance


def _finish_var(ddof: float, statistics: Mapping[str, Any]) -> Array:
    known = statistics["moments"].known
    variance = _variance(known, ddof)
    result: Array = unsquared(variance, known.unit)
    refuse_overflow("variance", result, variance)
    return result


def _finish_std(ddof: float, statistics: Mapping[str, Any]) -> Array:
    known = statistics["moments"].known
    result: Array = rooted(_variance(known, ddof), known.unit)
    refuse_overflow("standard deviation", result, known.hi)
    return result


def _finish_norm(
    name: str, share: Callable[[Floats], Floats], statistics: Mapping[str, Any]
) -> Array:
    """The root of the sum of squares, which is M + S**2 / n, and of its share."""
    known = statistics["moments"].known
    squares = known.hi / known.size
    squares *= known.hi
    squares += known.spread
    squares += known.spread_lo
    squares /= share(known.size)
    result = rooted(squares, known.unit)
    if np.isfinite(result).all():
        return result
    refuse_overflow(name, result, squares)
    high, low = statistics["max"].value, statistics["min"].value
    if high.dtype.kind == "f":
        result = np.where(np.isinf(high) | np.isinf(low), np.inf, result)
        result = np.where(np.isnan(high) | (known.size == 0), np.nan, result)
    return result


def _all(_: Floats) -> Floats:
    """The share of a sum: it is not divided."""
    return np.ones(())


def _norm(
    name: str, said: str, share: Callable[[Floats], Floats], formula: str, source: str
) -> Pooling:
    # Mean and spread say nothing of infinities, but the extremes do.
    return Pooling(
        name=name,
        needs={**_MOMENTS, "max": Maximum, "min": Minimum},
        finish=partial(_finish_norm, said, share),
        result_dtype=average_dtype,
        cell_bytes=_CELL_BYTES,
        formula=formula,
        source=source,
    )


L2 = _norm("l2", "L2 norm", _all, "sqrt(sum(x**2))", "ONNX ReduceL2, GlobalLpPool with p = 2")
"""The L2 norm of every channel.

Within 1 ulp of float32 for what gives float32; otherwise within 4 ulp of the true one. Squares that
float64 does not hold (of 1e200, of subnormals) do no harm.
"""

RMS = _norm(
    "rms",
    "root mean square",
    np.asarray,
    "sqrt((1/n) * sum(x**2))",
    "Zhang, Sennrich: RMSNorm (NeurIPS 2019), arXiv:1910.07467",
)
"""The root of the mean of the squares of every channel, as exact as the L2 norm."""
