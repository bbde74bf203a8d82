"""Pooled vectors brought to length 1, as retrieval compares them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpool_cli.poolings import kernels
from gpool_cli.poolings.interface import Array, Floats


@dataclass(frozen=True, eq=False)
class Norm:
    """What the length of a vector is.

    Attributes:
        name: ``l2``, the root of the sum of squares, or ``l1``, the sum of abs(x).
        axes: The axes of the pooled values that a vector stands on; none for one number each.
    """

    name: str
    axes: tuple[int, ...]


def normalized(values: Array, norm: Norm) -> Floats:
    """Every vector divided by its length; a vector of zeros stays as it is.

    Args:
        values: Pooled values, one axis per kept letter.
        norm: The length, and the axes of a vector.

    Returns:
        The quotients, within 3 ulp of float64. A NaN makes its whole vector NaN, and so does an
        infinity where it stands, beside zeros.
    """
    wide = values.astype(np.float64)
    last = tuple(range(-len(norm.axes), 0))
    apart = np.moveaxis(wide, norm.axes, last)
    vectors = apart.reshape(*apart.shape[: apart.ndim - len(norm.axes)], -1)
    largest = np.max(np.abs(vectors), axis=-1, keepdims=True)
    # By a power of two, which is exact: no square is too large or too small then.
    exponent = np.where(np.isfinite(largest), np.frexp(largest)[1], 0)
    scaled = np.ldexp(vectors, -exponent)
    terms = np.abs(scaled) if norm.name == "l1" else scaled * scaled
    length = _sums(terms)
    if norm.name == "l2":
        length = np.sqrt(length)
    quotients: Floats = np.divide(scaled, length, out=scaled, where=length != 0)
    return np.moveaxis(quotients.reshape(apart.shape), last, norm.axes)


def _sums(terms: Floats) -> Floats:
    """The sums along the last axis, with compensation, that axis kept with length 1."""
    rows = np.ascontiguousarray(terms).reshape(-1, terms.shape[-1], 1)
    hi, lo = kernels.sums(rows, exact=True)
    total = hi if lo is None else hi + lo
    return total.reshape(*terms.shape[:-1], 1)
