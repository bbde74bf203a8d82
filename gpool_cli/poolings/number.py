"""How many values count: what ``--count`` writes beside a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gpool_cli.poolings.interface import Array, Pooling
from gpool_cli.poolings.statistics import Count


def _int64(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.int64)


def _finish(statistics: Mapping[str, Any]) -> Array:
    value: Array = statistics["count"].value
    return value


COUNT = Pooling(
    name="count",
    needs={"count": Count},
    finish=_finish,
    result_dtype=_int64,
    formula="n",
    source="numpy.ma.count",
    companion=True,
)
"""The number of values of every channel that are not left out: 0 where all are."""
