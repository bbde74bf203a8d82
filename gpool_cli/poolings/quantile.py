"""Quantiles of every channel, and the median."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from gpool_cli.poolings.dtypes import average_dtype
from gpool_cli.poolings.interface import Array, Pooling
from gpool_cli.poolings.order import COUNTS_OF_A_CELL, Neighbours
from gpool_cli.poolings.statistics import Count, Maximum, or_nan


def quantile(q: float, name: str = "quantile", formula: str = "") -> Pooling:
    """The q-th quantile of every channel, as numpy's linear method has it.

    Exact: the two stored values around it are found, and the line between them is taken in float64
    and rounded once. Large maps are read several times.
    """
    order = f"order q={q!r}"
    return Pooling(
        name=name,
        needs={order: partial(Neighbours, q), "max": Maximum, "count": Count},
        finish=partial(_finish, order),
        result_dtype=average_dtype,
        formula=formula or "x sorted, at place q * (n - 1), between two by a line",
        source="Hyndman, Fan (The American Statistician 50, 1996), type 7; numpy.quantile",
        repeats=True,
        cell_bytes=COUNTS_OF_A_CELL + 80,
    )


def _finish(order: str, statistics: Mapping[str, Any]) -> Array:
    stored_low, stored_high, share = statistics[order].values()
    low, high = stored_low.astype(np.float64), stored_high.astype(np.float64)
    apart = high - low
    line = np.where(np.isinf(apart), low * (1 - share) + high * share, low + apart * share)
    value = np.where((share == 0) | (low == high), low, line)
    largest = statistics["max"].value
    if largest.dtype.kind == "f":
        value = np.where(np.isnan(largest), np.nan, value)
    return or_nan(value, statistics["count"].value)


MEDIAN = quantile(0.5, "median", "the middle of x sorted, or the mean of the two there")
"""The median of every channel: its quantile with q = 0.5."""
