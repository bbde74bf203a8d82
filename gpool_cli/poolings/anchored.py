"""Sums of powers or exponentials, in units of the largest term so far: they never overflow.

With the anchor a, the largest value of a cell so far, the terms are (x / a)**p or exp(r (x - a)):
at most 1, and that of the largest value is 1. When the anchor rises, what was summed is scaled by
the term of the old anchor at the new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gpool_cli.poolings import functions, kernels
from gpool_cli.poolings.dtypes import average_dtype
from gpool_cli.poolings.exact import join
from gpool_cli.poolings.interface import Array, Cells, Floats, Grid, Region


@dataclass(frozen=True)
class PowerTerm:
    """(max(|x|, least) / a)**p: what an Lp norm sums, and with ``signed`` a generalized mean.

    Attributes:
        p: The exponent.
        least: Smaller values count as this.
        signed: Of x itself and not of abs(x).
    """

    p: float
    least: float = 0.0
    signed: bool = False

    def taken(self, wide: Floats) -> None:
        """Make values what is raised to the power, in place."""
        if not self.signed:
            np.abs(wide, out=wide)
        if self.least:
            np.maximum(wide, self.least, out=wide)

    def term(self, wide: Floats, anchor: Floats) -> None:
        """Make these values their terms, in place. A cell of zeros has the anchor 0."""
        np.divide(wide, np.where(anchor > 0, anchor, 1.0), out=wide)
        if self.p == 3:
            np.multiply(wide * wide, wide, out=wide)  # Ten times as fast as any power.
        elif self.p == 2:
            np.multiply(wide, wide, out=wide)
        elif self.p != 1:
            np.power(wide, self.p, out=wide)


@dataclass(frozen=True)
class ExpTerm:
    """exp(r (x - a)): what log-sum-exp sums.

    Attributes:
        r: How sharp it is.
    """

    r: float

    def taken(self, wide: Floats) -> None:
        """The values are what they are."""

    def term(self, wide: Floats, anchor: Floats) -> None:
        """Make these values their terms, in place. A cell of -inf alone has no anchor."""
        np.subtract(wide, np.where(np.isfinite(anchor), anchor, 0.0), out=wide)
        np.multiply(wide, self.r, out=wide)
        np.exp(wide, out=wide)


Term = PowerTerm | ExpTerm


class AnchoredSum:
    """The statistic: of every cell the anchor, and the sum of its terms.

    Attributes:
        anchor: The largest value taken; -inf where there was none, NaN where one was seen.
        hi: The sums of the terms.
        lo: What rounding left out of them.
    """

    def __init__(self, term: Term, grid: Grid) -> None:
        self._term = term
        self._fine = grid.exact or average_dtype(grid.dtype) == np.float64
        self.anchor: Floats = np.full(grid.shape, -np.inf)
        self.hi: Floats = np.zeros(grid.shape)
        self.lo: Floats = np.zeros(grid.shape)

    def update(self, region: Region, cells: Cells) -> None:
        anchor = self._largest(cells)
        terms, fine = self._terms(cells, anchor), self._fine
        hi, lo = functions.sums_of(cells.values, terms, exact=fine, plain=not fine)
        shape = self.anchor[region].shape
        self._join(region, anchor.reshape(shape), hi.reshape(shape), lo.reshape(shape))

    def merge(self, other: AnchoredSum) -> None:
        self._join((slice(None),), other.anchor, other.hi, other.lo)

    def _taken(self, tile: Array) -> Floats:
        wide = kernels.widened(tile)
        self._term.taken(wide)
        return wide

    def _largest(self, cells: Cells) -> Floats:
        """The largest value taken of every cell of a block."""
        outer, _, inner = cells.values.shape
        largest = np.full((outer, inner), -np.inf)
        for o, p in kernels.tiles(cells.values.shape):
            wide = self._taken(cells.values[o, p])
            if cells.missing is not None:
                wide[cells.missing[o, p]] = -np.inf
            np.maximum(largest[o], kernels.maxima(wide), out=largest[o])
        return largest

    def _terms(self, cells: Cells, anchor: Floats) -> Callable[[Array, slice, slice], Array]:
        def terms(tile: Array, o: slice, p: slice) -> Array:
            wide = self._taken(tile)
            self._term.term(wide, anchor[o, np.newaxis])
            if cells.missing is not None:
                wide[cells.missing[o, p]] = 0.0
            return wide

        return terms

    def _join(self, region: Region, anchor: Floats, hi: Floats, lo: Floats) -> None:
        old = self.anchor[region]
        highest = np.maximum(old, anchor)
        mine, theirs = self._scale(old, highest), self._scale(anchor, highest)
        joined = join(self.hi[region] * mine, self.lo[region] * mine, hi * theirs, lo * theirs)
        self.hi[region], self.lo[region] = joined
        self.anchor[region] = highest

    def _scale(self, anchor: Floats, highest: Floats) -> Floats:
        """What a sum with one anchor is multiplied by to have the other; exactly 1 for the same."""
        scale = anchor.copy()
        self._term.term(scale, highest)
        return np.where(anchor == highest, 1.0, np.where(anchor == -np.inf, 0.0, scale))
