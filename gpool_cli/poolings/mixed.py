"""Average and maximum together, added or side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gpool_cli.poolings.dtypes import average_dtype
from gpool_cli.poolings.interface import Array, Floats, Grid, Pooling, Statistic
from gpool_cli.poolings.statistics import Count, Maximum, Sum, or_nan

_NEEDS: Mapping[str, Callable[[Grid], Statistic]] = {"sum": Sum, "max": Maximum, "count": Count}


def _both(statistics: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """Average and maximum, as float64."""
    count = statistics["count"].value
    average = statistics["sum"].total.divided_by(count)
    return average, or_nan(statistics["max"].value.astype(np.float64), count)


def _finish_avgmax(statistics: Mapping[str, Any]) -> Array:
    average, maximum = _both(statistics)
    return average / 2 + maximum / 2


def _finish_catavgmax(statistics: Mapping[str, Any]) -> Array:
    return np.stack(_both(statistics), axis=-1)


AVGMAX = Pooling(
    name="avgmax",
    needs=_NEEDS,
    finish=_finish_avgmax,
    result_dtype=average_dtype,
    formula="(avg(x) + max(x)) / 2",
    source="timm SelectAdaptivePool2d 'avgmax'; Lee, Gallagher, Tu (AISTATS 2016)",
)
"""Half the sum of average and maximum, within 1 ulp at the size of the larger (4 for float64)."""

CATAVGMAX = Pooling(
    name="catavgmax",
    needs=_NEEDS,
    finish=_finish_catavgmax,
    result_dtype=average_dtype,
    formula="concat(avg(x), max(x))",
    source="timm SelectAdaptivePool2d 'catavgmax'; fastai AdaptiveConcatPool2d",
    tail="channels",
)
"""All averages, then all maxima, in the dtype of the average: D channels give 2D."""
