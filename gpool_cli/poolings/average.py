"""Global average pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gpool_cli.poolings.interface import Array, Pooling
from gpool_cli.poolings.statistics import Count, Sum


def average_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """float32 for float16, float32, bool and integers up to 16 bits; float64 for the rest."""
    return np.result_type(dtype, np.float32)


def _finish(statistics: Mapping[str, Any]) -> Array:
    result: Array = statistics["sum"].total.divided_by(statistics["count"].value)
    return result


AVG = Pooling(
    name="avg",
    needs={"sum": Sum, "count": Count},
    finish=_finish,
    result_dtype=average_dtype,
    formula="(1/n) * sum(x)",
    source="Lin, Chen, Yan: Network in Network (2013), arXiv:1312.4400; ONNX GlobalAveragePool",
)
"""The mean of every channel: the true mean of the stored values, rounded once.

A channel in which no value counts (all NaN under ``omit``) is NaN.
"""
