"""Global min pooling, and the range between minimum and maximum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gpool_cli.poolings.dtypes import average_dtype, same_dtype
from gpool_cli.poolings.interface import Array, Pooling
from gpool_cli.poolings.overflow import refuse_overflow
from gpool_cli.poolings.statistics import Count, Maximum, Minimum, or_nan


def _finish_min(statistics: Mapping[str, Any]) -> Array:
    return or_nan(statistics["min"].value, statistics["count"].value)


def _finish_range(statistics: Mapping[str, Any]) -> Array:
    high, low = statistics["max"].value, statistics["min"].value
    count = statistics["count"].value
    if high.dtype.kind in "iub":
        # Modulo 2**64 the difference of any two integers is right.
        apart = high.astype(np.uint64) - low.astype(np.uint64)
        return or_nan(apart.astype(np.float64), count)
    wide = high.astype(np.float64) - low.astype(np.float64)
    # A range of equal infinities has no value, and NaN says so.
    refuse_overflow("range", wide, high, low)
    return or_nan(wide, count)


MIN = Pooling(
    name="min",
    needs={"min": Minimum, "count": Count},
    finish=_finish_min,
    result_dtype=same_dtype,
    formula="min(x)",
    source="ONNX ReduceMin; numpy.min",
)
"""The smallest value of every channel, bit for bit one of the stored ones.

A zero minimum is +0 and a NaN the canonical one; a channel in which no value counts is NaN.
"""

RANGE = Pooling(
    name="range",
    needs={"max": Maximum, "min": Minimum, "count": Count},
    finish=_finish_range,
    result_dtype=average_dtype,
    formula="max(x) - min(x)",
    source="numpy.ptp",
)
"""The largest value less the smallest: the difference in float64, within 1 ulp of the true one.

Of 64-bit integers it is exact before it is rounded to float64.
"""
