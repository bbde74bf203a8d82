"""Global average pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpool_cli.poolings.dtypes import average_dtype
from gpool_cli.poolings.interface import Array, Pooling
from gpool_cli.poolings.statistics import Count, Sum


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
