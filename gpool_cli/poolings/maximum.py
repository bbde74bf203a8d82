"""Global max pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpool_cli.poolings.dtypes import same_dtype
from gpool_cli.poolings.interface import Array, Pooling
from gpool_cli.poolings.statistics import Count, Maximum, or_nan


def _finish(statistics: Mapping[str, Any]) -> Array:
    return or_nan(statistics["max"].value, statistics["count"].value)


MAX = Pooling(
    name="max",
    needs={"max": Maximum, "count": Count},
    finish=_finish,
    result_dtype=same_dtype,
    formula="max(x)",
    source="Oquab, Bottou, Laptev, Sivic: Is object localization for free? (CVPR 2015); "
    "ONNX GlobalMaxPool",
)
"""The largest value of every channel, bit for bit one of the stored ones.

A zero maximum is +0 and a NaN the canonical one; a channel in which no value counts is NaN.
"""
