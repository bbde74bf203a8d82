"""Numbers as unsigned integers that are ordered as they are, so that digits can select them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpool_cli.poolings.interface import Array


def key_bits(dtype: np.dtype[Any]) -> int:
    """How many bits a key of this dtype has."""
    return dtype.itemsize * 8


def keys_of(values: Array) -> Array:
    """The keys of values: unsigned integers of the same width.

    The bits of a float without a sign are ordered as it is, above all with a sign; those with it
    the other way round. -0 is below +0, and NaN of either sign outside of the infinities.
    """
    dtype = values.dtype
    unsigned = np.dtype(f"u{dtype.itemsize}")
    bits = values.view(unsigned)
    if dtype.kind in "ub":
        return np.asarray(bits)
    sign = unsigned.type(1 << (key_bits(dtype) - 1))
    if dtype.kind == "i":
        return np.asarray(bits ^ sign)
    # All ones for a sign, else the sign alone.
    flip = (values.view(f"i{dtype.itemsize}") >> (key_bits(dtype) - 1)).view(unsigned) | sign
    return np.asarray(bits ^ flip)


def values_of(keys: Array, dtype: np.dtype[Any]) -> Array:
    """The values whose keys these are."""
    unsigned = np.dtype(f"u{dtype.itemsize}")
    bits = keys.astype(unsigned)
    if dtype.kind in "ub":
        return bits.view(dtype)
    sign = unsigned.type(1 << (key_bits(dtype) - 1))
    if dtype.kind == "i":
        return np.asarray(bits ^ sign).view(dtype)
    return np.where(bits & sign, bits ^ sign, ~bits).view(dtype)
