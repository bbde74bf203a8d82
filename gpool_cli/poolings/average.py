"""Global average pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpool_cli.errors import InputError
from gpool_cli.poolings.dtypes import average_dtype
from gpool_cli.poolings.interface import Array, Pooling
from gpool_cli.poolings.statistics import Count, Sum
from gpool_cli.poolings.weighted import TotalWeight, WeightedSum


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


# Products of such weights with float32 values, and their sums, are far from the ends of float64.
_HEAVIEST = 1e200


def _finish_weighted(statistics: Mapping[str, Any]) -> Array:
    weight = statistics["weight"].value
    held = (weight == 0) | ((weight >= 1 / _HEAVIEST) & (weight <= _HEAVIEST))
    if not held.all():
        raise InputError(
            f"has weights whose sum {weight[~held].flat[0]:.3g} is too "
            f"{'small' if (weight < 1).any() else 'large'} for products in float64",
            "multiply all weights by one number, which leaves the mean as it is",
        )
    result: Array = statistics["weighted sum"].total.divided_by(weight)
    return result


WEIGHTED_AVG = Pooling(
    name="avg",
    needs={"weighted sum": WeightedSum, "weight": TotalWeight},
    finish=_finish_weighted,
    result_dtype=average_dtype,
    formula="sum(w * x) / sum(w)",
    source="numpy.average",
)
"""The weighted mean of every channel, with weights of 0 or more.

Within 1 ulp of the true one for results in float32, and within 4 ulp in float64, the ulp taken at
the weighted mean of abs(x); as long as no w * x is too small or too large for a float64. A channel
in which no value counts, or all weights are 0, is NaN. Weights whose sum is beyond 1e200, or below
1e-200, are refused.
"""
