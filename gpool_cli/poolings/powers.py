"""Poolings by powers: the Lp norm and the generalized mean."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from gpool_cli.poolings.anchored import AnchoredSum, PowerTerm
from gpool_cli.poolings.dtypes import average_dtype
from gpool_cli.poolings.interface import Array, Floats, Pooling
from gpool_cli.poolings.overflow import refuse_overflow
from gpool_cli.poolings.statistics import Below, Count, or_nan


def lp(p: float) -> Pooling:
    """The Lp norm of every channel, with p > 0.

    The powers are taken of |x| over the largest of them, in float64: nothing overflows. Within
    1 ulp of float32 for what gives float32; otherwise within some (1 + 1/p) * 8 ulp, as long as
    the system's power function is good to 1 ulp.
    """
    sums = f"powers p={p!r}"
    return Pooling(
        name="lp",
        needs={sums: partial(AnchoredSum, PowerTerm(p)), "count": Count},
        finish=partial(_finish_norm, sums, p),
        result_dtype=average_dtype,
        formula="sum(|x|**p)**(1/p)",
        source="ONNX GlobalLpPool; Gulcehre et al. (ECML 2014), arXiv:1311.1780",
    )


def gem(p: float, eps: float) -> Pooling:
    """The generalized mean of every channel, with p > 0; values below eps count as eps.

    As exact as the Lp norm.
    """
    sums, below = f"powers p={p!r} eps={eps!r}", f"below {eps!r}"
    term = PowerTerm(p, eps, signed=True)
    return Pooling(
        name="gem",
        needs={sums: partial(AnchoredSum, term), below: partial(Below, eps), "count": Count},
        finish=partial(_finish_mean, sums, p),
        result_dtype=average_dtype,
        formula="((1/n) * sum(max(x, eps)**p))**(1/p)",
        source="Radenovic, Tolias, Chum (TPAMI 2019), arXiv:1711.02512",
        cell_bytes=28,
        clamped=partial(_number_below, below),
    )


def _finish_norm(sums: str, p: float, statistics: Mapping[str, Any]) -> Array:
    norm = _rooted(statistics[sums], np.ones(()), p)
    refuse_overflow("Lp norm", norm, statistics[sums].anchor)
    return or_nan(norm, statistics["count"].value)


def _finish_mean(sums: str, p: float, statistics: Mapping[str, Any]) -> Array:
    count = statistics["count"].value
    return or_nan(_rooted(statistics[sums], count, p), count)


def _number_below(below: str, statistics: Mapping[str, Any]) -> int:
    return int(statistics[below].value.sum())


def _rooted(powers: AnchoredSum, count: Floats, p: float) -> Floats:
    """The p-th root of the sum of powers over the count."""
    share = (powers.hi + powers.lo) / count
    # The usual exponents have roots of their own, rounded better than a power.
    roots = np.sqrt(share) if p == 2 else np.cbrt(share) if p == 3 else np.power(share, 1 / p)
    # An anchor of 0, inf or NaN is the answer itself.
    special = (powers.anchor == 0) | ~np.isfinite(powers.anchor)
    return np.where(special, powers.anchor, powers.anchor * roots)
