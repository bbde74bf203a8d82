"""Mean and spread of every cell, merged without cancellation.

A cell is known by its count n, its sum S, and M, the sum of the squares of the distances from its
own mean. Two parts merge as M = M_a + M_b + d**2 * n_a * n_b / n, with d the distance of their
means; all terms are positive, and so nothing cancels, however far the values are from 0.
Source: T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance:
analysis and recommendations", The American Statistician 37 (1983).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gpool_cli.poolings import functions, kernels
from gpool_cli.poolings.dtypes import average_dtype
from gpool_cli.poolings.exact import join, two_product, two_sum
from gpool_cli.poolings.interface import Array, Cells, Floats, Grid, Region
from gpool_cli.poolings.statistics import block_maxima, block_minima, block_sums

# Squares of float64 overflow above the one and vanish below the other: such cells are taken in
# units of 2**600 or 2**-600.
_LARGE, _SMALL, _UNIT = 2.0**500, 2.0**-500, 600

# Where M is a smaller share of the sum of squares, their difference has lost too many bits of it.
_CANCELLED = 2.0**-6


class Known(NamedTuple):
    """What is known of cells; arrays of one shape.

    Attributes:
        size: n.
        hi: S, rounded.
        lo: What rounding left out of S.
        spread: M, rounded.
        spread_lo: What adding parts left out of M.
        unit: hi and lo are in units of 2**(600 unit), spread in their squares: -1, 0 or 1.
    """

    size: Floats
    hi: Floats
    lo: Floats
    spread: Floats
    spread_lo: Floats
    unit: Array

    def of(self, region: Region) -> Known:
        """A view of some of the cells."""
        return Known(*(array[region] for array in self))

    def put(self, other: Known) -> None:
        """Become the other, cell by cell."""
        for mine, theirs in zip(self, other, strict=True):
            mine[...] = theirs.reshape(mine.shape)


class Moments:
    """The statistic: what is `Known` of every cell. It makes the sums too, that others need."""

    def __init__(self, grid: Grid) -> None:
        count, hi, lo, spread, spread_lo = (np.zeros(grid.shape) for _ in range(5))
        unit = np.zeros(grid.shape, np.int8)
        self.known = Known(count, hi, lo, spread, spread_lo, unit)
        self._exact = grid.exact

    def update(self, region: Region, cells: Cells) -> None:
        old = self.known.of(region)
        new = _of_block(cells, self._exact)
        # Maps of a batch come whole: there is nothing to merge with.
        old.put(_merged(old, _shaped(new, old)) if old.size.any() else new)

    def merge(self, other: Moments) -> None:
        self.known.put(_merged(self.known, other.known))


def _shaped(new: Known, old: Known) -> Known:
    shape = old.size.shape
    return Known(*(array.reshape(shape) for array in new))


def _of_block(cells: Cells, exact: bool) -> Known:
    """What a block says of its cells, shape (outer, inner)."""
    values = cells.filled(0)
    outer, pooled, inner = values.shape
    count: Floats = np.full((outer, inner), float(pooled))
    if cells.missing is not None:
        count -= np.count_nonzero(cells.missing, axis=1)
    unit = np.zeros((outer, inner), np.int8)
    if values.dtype == np.float64:
        unit = _units(cells)
    if unit.any():
        values = values * np.ldexp(1.0, -_UNIT * unit.astype(np.int32))[:, np.newaxis]
    fine = exact or average_dtype(values.dtype) == np.float64
    if fine:
        # What rounds a sum off would stand between the means of two parts.
        hi, lo, _ = block_sums(values, exact=True)
        lo = np.zeros_like(hi) if lo is None else lo
        spread = _centred(values, cells.missing, count, hi, lo, fine=True)
    else:
        (hi, rest), squares = _sums_and_squares(values)
        cells.once("sums", lambda: (hi, rest, None))
        lo = np.zeros_like(hi) if rest is None else rest
        spread = _by_squares(values, cells.missing, count, hi, lo, squares)
    empty = count == 0
    if empty.any():
        spread = np.where(empty, 0.0, spread)
    return Known(count, hi, lo, spread, np.zeros_like(hi), unit)


def _units(cells: Cells) -> Array:
    """In which unit each cell's squares are in the range of float64."""
    size = np.maximum(np.abs(block_maxima(cells)), np.abs(block_minima(cells)))
    small = (size < _SMALL) & (size > 0)
    return (size > _LARGE).astype(np.int8) - small.astype(np.int8)


def _sums_and_squares(values: Array) -> tuple[kernels.Sums, Floats]:
    """The sum of every cell and that of its squares, of values of up to 24 bits."""
    if values.dtype.kind == "f":
        return kernels.sums_and_squares(values)

    def squared(tile: Array, *_: slice) -> Array:
        wide = kernels.widened(tile)
        np.multiply(wide, wide, out=wide)
        return wide

    squares, _ = functions.sums_of(values, squared, exact=False, plain=True)
    return kernels.sums(values, exact=False), squares


def _by_squares(
    values: Array,
    missing: Array | None,
    count: Floats,
    hi: Floats,
    lo: Floats,
    squares: Floats,
) -> Floats:
    """M as the sum of squares less n times the squared mean, unless that cancels.

    For values of up to 24 bits, whose squares are exact: half the passes of `_centred`.
    """
    spread: Floats = squares - hi * hi / count
    cancelled = spread < squares * _CANCELLED
    if cancelled.any():
        careful = _centred(values, missing, count, hi, lo, fine=False)
        spread = np.where(cancelled, careful, spread)
    return spread


def _centred(
    values: Array, missing: Array | None, count: Floats, hi: Floats, lo: Floats, fine: bool
) -> Floats:
    """M as the sum of squared distances from the mean as float64, corrected for its rounding."""
    centre = np.where(np.isfinite(hi) & (count > 0), hi / count, 0.0)
    if values.dtype.kind in "iu":
        centre = np.rint(centre)  # No distance is rounded then.

    def squared(tile: Array, o: slice, p: slice) -> Array:
        apart = _distances(tile, centre[o, np.newaxis])
        if missing is not None:
            apart[missing[o, p]] = 0.0
        np.multiply(apart, apart, out=apart)
        return apart

    squares, rest = functions.sums_of(values, squared, exact=fine, plain=not fine)
    off = _less(hi, lo, count, centre)
    return np.maximum(squares + rest - off * off / count, 0.0)


def _distances(tile: Array, centre: Floats) -> Floats:
    """The values less the centre, rounded once, in scratch."""
    if tile.dtype.kind not in "iu" or tile.itemsize < 8:
        wide = kernels.widened(tile)
        np.subtract(wide, centre, out=wide)
        return wide
    # 64-bit integers have more bits than float64: both halves lose the centre's, and then meet.
    upper = np.floor(centre * 2.0**-32)
    apart: Floats = (tile >> tile.dtype.type(32)) - upper
    apart *= 2.0**32
    apart += (tile & tile.dtype.type(0xFFFFFFFF)) - (centre - upper * 2.0**32)
    return apart


def _less(hi: Floats, lo: Floats, count: Floats, centre: Floats) -> Floats:
    """S - n * centre: how far the sum is from that of as many centres."""
    product, error = two_product(centre, count)
    return ((hi - product) - error) + lo


def _merged(a: Known, b: Known) -> Known:
    if a.unit.any() or b.unit.any():
        a, b = _in_one_unit(a, b)
    count = a.size + b.size
    centre = np.where(a.size > 0, a.hi / a.size, 0.0)
    apart = _less(b.hi, b.lo, b.size, centre) / b.size
    apart -= _less(a.hi, a.lo, a.size, centre) / a.size
    between = apart * apart * (a.size * b.size / count)
    between = np.where((a.size > 0) & (b.size > 0), between, 0.0)
    spread, error = two_sum(a.spread, b.spread)
    spread, second = two_sum(spread, between)
    spread_lo = a.spread_lo + b.spread_lo + error + second
    hi, lo = join(a.hi, a.lo, b.hi, b.lo)
    return Known(count, hi, lo, spread, spread_lo, a.unit)


def _in_one_unit(a: Known, b: Known) -> tuple[Known, Known]:
    """Both in the larger unit, where what is small in the smaller one vanishes."""
    # Nothing, and nothing but zeros, stand in any unit.
    plain = [np.where((k.hi == 0) & (k.spread == 0), np.int8(-1), k.unit) for k in (a, b)]
    unit = np.maximum(*plain)

    def moved(known: Known) -> Known:
        down = np.ldexp(1.0, _UNIT * (known.unit.astype(np.int32) - unit))
        return Known(
            known.size,
            known.hi * down,
            known.lo * down,
            known.spread * down * down,
            known.spread_lo * down * down,
            unit,
        )

    return moved(a), moved(b)


def rooted(squares: Floats, unit: Array) -> Floats:
    """The root of squares that are in squared units, as plain float64."""
    root: Floats = np.sqrt(squares)
    return np.ldexp(root, _UNIT * unit.astype(np.int32)) if unit.any() else root


def unsquared(squares: Floats, unit: Array) -> Any:
    """Squares that are in squared units, as plain float64: infinite or 0 where beyond it."""
    return np.ldexp(squares, 2 * _UNIT * unit.astype(np.int32)) if unit.any() else squares
