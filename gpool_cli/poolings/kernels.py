"""The arithmetic on one block, and why each trick is right.

A kernel takes values of shape (outer, pooled, inner), C order, native byte order, and gives one
number per cell, shape (outer, inner). Nothing here warns: callers hold ``np.errstate``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpool_cli.poolings.exact import two_sum
from gpool_cli.poolings.interface import Array, Floats

# So many halvings are added plainly before errors are kept: each costs at most half an ulp of the
# sum of |x| (u = 2**-53 relative), and three of them with the last rounding stay under 4 ulp.
_PLAIN_HALVINGS = 3


def sums(values: Array, exact: bool) -> tuple[Floats, Floats]:
    """The sum of every cell as a double-double (hi, lo).

    Args:
        values: Any real dtype.
        exact: The sum must be good to a float64 ulp also where the values are narrower.

    Returns:
        For integers and bool the exact sum. For float64, and for all floats with ``exact``, a
        compensated sum. For narrower floats a float64 sum: its error is at most
        ``pooled * 2**-53`` of the sum of |x|, far below half an ulp of float32.
    """
    if values.dtype.kind in "iub":
        return _integer_sums(values)
    if values.dtype.itemsize < 8 and not exact:
        hi = np.add.reduce(values, axis=1, dtype=np.float64)
        return hi, np.zeros_like(hi)
    plain = 0 if exact else _PLAIN_HALVINGS
    return _compensated_sums(values.astype(np.float64, copy=False), plain)


def _compensated_sums(values: Floats, plain: int) -> tuple[Floats, Floats]:
    """Halve the pooled axis again and again, keeping the rounding errors after ``plain`` times.

    A tree of two-sums keeps every error exactly; the errors themselves are some 2**-53 of the
    sums, and adding them plainly costs 2**-106 a level.
    """
    outer, _, inner = values.shape
    errors: Floats = np.zeros((outer, 1, inner))
    level = values
    while level.shape[1] > 1:
        half, odd = divmod(level.shape[1], 2)
        first, second, rest = level[:, :half], level[:, half : 2 * half], level[:, 2 * half :]
        if plain:
            plain -= 1
            total = first + second
        else:
            total, error = two_sum(first, second)
            errors = errors + error.sum(axis=1, keepdims=True)
        level = np.concatenate([total, rest], axis=1) if odd else total
    hi, lo = two_sum(level[:, 0], errors[:, 0])
    special = ~np.isfinite(level[:, 0])
    return np.where(special, level[:, 0], hi), np.where(special, 0.0, lo)


def _integer_sums(values: Array) -> tuple[Floats, Floats]:
    """Exact sums: up to 32 bits in int64; 64 bits as two halves of 32, each in int64.

    A block has fewer than 2**31 values a cell, so that no int64 sum overflows.
    """
    if values.dtype.itemsize < 8:
        return _split(np.add.reduce(values, axis=1, dtype=np.int64))
    high = np.add.reduce(values >> values.dtype.type(32), axis=1, dtype=np.int64)
    low = np.add.reduce(values & values.dtype.type(0xFFFFFFFF), axis=1, dtype=np.int64)
    high_hi, high_lo = _split(high)
    low_hi, low_lo = _split(low)
    total, error = two_sum(high_hi * 2.0**32, low_hi)
    return two_sum(total, error + (high_lo * 2.0**32 + low_lo))


def _split(exact: np.ndarray[Any, np.dtype[np.int64]]) -> tuple[Floats, Floats]:
    """An int64 as a double-double: the low 32 bits are what the upper half leaves."""
    upper = (exact >> 32).astype(np.float64) * 2.0**32
    lower = (exact & 0xFFFFFFFF).astype(np.float64)
    return two_sum(upper, lower)


def maxima(values: Array) -> Array:
    """The largest value of every cell, in the dtype of the values; NaN where there is one."""
    result: Array = np.maximum.reduce(values, axis=1)
    return result
