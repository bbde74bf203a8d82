"""Global max pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gpool_cli.poolings.interface import Array, Pooling
from gpool_cli.poolings.statistics import Count, Maximum


def same_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A maximum is one of the stored values, and keeps their dtype."""
    return dtype


def _finish(statistics: Mapping[str, Any]) -> Array:
    value: Array = statistics["max"].value
    empty = statistics["count"].value == 0
    if value.dtype.kind != "f" or not empty.any():
        return value
    return np.where(empty, value.dtype.type(np.nan), value)


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
