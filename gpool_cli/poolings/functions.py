"""Sums of functions of the values of a block, tile by tile in the cache."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gpool_cli.poolings.exact import two_sum
from gpool_cli.poolings.interface import Array, Floats
from gpool_cli.poolings.kernels import (
    add_first,
    add_last,
    scratch,
    sums,
    tiles,
)


def absolute(values: Array) -> Array:
    """The sizes of a tile's signed values, valid until the next call; integers as unsigned."""
    sizes = scratch.take("absolute", values.shape, values.dtype)
    if values.dtype == np.float16:
        # Without the sign bit; numpy takes float16 one by one.
        np.bitwise_and(values.view(np.uint16), np.uint16(0x7FFF), out=sizes.view(np.uint16))
        return sizes
    np.abs(values, out=sizes)
    # The lowest integer has no positive of its kind; its bits are right as an unsigned one.
    return sizes.view(f"u{sizes.itemsize}") if values.dtype.kind == "i" else sizes


def sums_of(
    values: Array,
    function: Callable[[Array, slice, slice], Array],
    exact: bool,
    plain: bool = False,
) -> tuple[Floats, Floats]:
    """The sum of a function of the values of every cell.

    Args:
        values: A block of any real dtype.
        function: From a tile, and where it lies on the first two axes, to what is summed: an
            array of the tile's shape, which is not kept.
        exact: As for `sums`.
        plain: What is summed is float64, and float64 additions are good enough: P u S in a tile.

    Returns:
        hi and lo, whose sum it is.
    """
    outer, _, inner = values.shape
    hi: Floats = np.zeros((outer, inner))
    lo: Floats = np.zeros((outer, inner))
    add = add_first if inner == 1 else add_last
    for o, p in tiles(values.shape):
        part = function(values[o, p], o, p)
        part_hi, part_lo = (add(part, np.float64), None) if plain else sums(part, exact)
        if p.start == 0:
            hi[o], lo[o] = part_hi, 0.0 if part_lo is None else part_lo
        else:
            hi[o], error = two_sum(hi[o], part_hi)
            lo[o] += error if part_lo is None else error + part_lo
    return hi, lo
