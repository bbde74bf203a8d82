"""Log-sum-exp pooling: a smooth maximum."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from gpool_cli.poolings.anchored import AnchoredSum, ExpTerm
from gpool_cli.poolings.dtypes import average_dtype
from gpool_cli.poolings.interface import Array, Pooling
from gpool_cli.poolings.statistics import Count, or_nan


def lse(r: float) -> Pooling:
    """A smooth maximum of every channel, with r > 0: at least the mean, at most the maximum.

    The exponentials are those of r * (x - max), and never overflow. Off by some 2**-52 times
    |max| + (1 + log(n)) / r at most, which is below an ulp of float32 at the size of the data
    unless r is tiny against it.
    """
    sums = f"exponentials r={r!r}"
    return Pooling(
        name="lse",
        needs={sums: partial(AnchoredSum, ExpTerm(r)), "count": Count},
        finish=partial(_finish, sums, r),
        result_dtype=average_dtype,
        formula="(1/r) * log((1/n) * sum(exp(r * x)))",
        source="Pinheiro, Collobert (CVPR 2015), arXiv:1411.6228",
    )


def _finish(sums: str, r: float, statistics: Mapping[str, Any]) -> Array:
    terms, count = statistics[sums], statistics["count"].value
    smooth = terms.anchor + np.log((terms.hi + terms.lo) / count) / r
    # An infinite anchor, or NaN, is the answer itself.
    return or_nan(np.where(np.isfinite(terms.anchor), smooth, terms.anchor), count)
