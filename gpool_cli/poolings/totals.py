"""Sums: of the values, and of their sizes (the L1 norm)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gpool_cli.poolings.dtypes import average_dtype, sum_dtype
from gpool_cli.poolings.exact import ExactSum
from gpool_cli.poolings.interface import Array, Floats, Pooling
from gpool_cli.poolings.overflow import refuse_overflow
from gpool_cli.poolings.statistics import AbsoluteSum, Count, Sum, or_nan

# So large a float64 has no fraction, and below it every whole number is one.
_EXACT = 2.0**53


def _finish_sum(statistics: Mapping[str, Any]) -> Array:
    total, count = statistics["sum"].total, statistics["count"].value
    whole = sum_dtype(statistics["sum"].dtype)
    if whole.kind == "f":
        return or_nan(_rounded("sum", total), count)
    return _as_integers(total, whole)


def _finish_l1(statistics: Mapping[str, Any]) -> Array:
    return or_nan(_rounded("L1 norm", statistics["abs sum"].total), statistics["count"].value)


def _rounded(name: str, total: ExactSum) -> Floats:
    """A sum as one float64, within 1 ulp."""
    values: Floats = total.divided_by(np.ones(()))
    refuse_overflow(name, values, total.hi)
    return values


def _as_integers(total: ExactSum, dtype: np.dtype[Any]) -> Array:
    """Sums of integers, exact; as float64 where they are beyond the dtype, which is refused.

    hi + lo is the sum itself. A cell has fewer than 2**43 values below 2**64, and 106 bits hold it.
    """
    if not (np.abs(total.hi) >= _EXACT).any() and not total.lo.any():
        return total.hi.astype(dtype)
    pairs = zip(total.hi.flat, total.lo.flat, strict=True)
    exact = [int(hi) + int(lo) for hi, lo in pairs]
    limits = np.iinfo(dtype)
    if all(limits.min <= value <= limits.max for value in exact):
        return np.array(exact, dtype).reshape(total.hi.shape)
    return total.divided_by(np.ones(()))


SUM = Pooling(
    name="sum",
    needs={"sum": Sum, "count": Count},
    finish=_finish_sum,
    result_dtype=sum_dtype,
    formula="sum(x)",
    source="SPoC: Babenko, Lempitsky (ICCV 2015), arXiv:1510.07493; ONNX ReduceSum",
)
"""The sum of every channel.

Within 1 ulp of the true sum for floats up to float32, 4 ulp for float64, the ulp taken at the sum
of |x|. Sums of integers are 64-bit integers, exact; one that does not fit is an error.
"""

L1 = Pooling(
    name="l1",
    needs={"abs sum": AbsoluteSum, "count": Count},
    finish=_finish_l1,
    result_dtype=average_dtype,
    formula="sum(|x|)",
    source="ONNX ReduceL1, GlobalLpPool with p = 1",
)
"""The L1 norm of every channel, within 1 ulp of the true one (4 ulp for float64)."""
