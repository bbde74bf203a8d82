"""Sums that stay exact: numbers kept as the unevaluated sum of two float64 (double-double).

A pair (hi, lo) stands for hi + lo with |lo| at most half an ulp of hi, which is about 106 bits.
Sources: T. J. Dekker, "A floating-point technique for extending the available precision",
Numer. Math. 18 (1971); D. E. Knuth, The Art of Computer Programming 2, section 4.2.2 (two-sum).
"""

from __future__ import annotations

import math

import numpy as np

from gpool_cli.poolings.interface import Array, Floats

# A float64 sum may overflow although the mean does not: such a cell is summed in units of 2**64.
_STEP = 64
_SPLITTER = 2.0**27 + 1


def two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """A + b as its rounded value and its exact rounding error (Knuth; any magnitudes)."""
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


def two_product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """A * b as its rounded value and its exact rounding error (Dekker and Veltkamp)."""
    product = a * b
    scaled_a, scaled_b = _SPLITTER * a, _SPLITTER * b
    a_high = scaled_a - (scaled_a - a)
    b_high = scaled_b - (scaled_b - b)
    a_low, b_low = a - a_high, b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


class ExactSum:
    """A sum per cell in about 100 bits, which a float64 overflow on the way does not hurt.

    `hi` is the plain running sum, and `lo` the running sum of what each step rounded off. After k
    steps lo itself is off by some k**2 * 2**-106 of the sum of |x|.
    Source: T. Ogita, S. M. Rump, S. Oishi, "Accurate sum and dot product", SIAM J. Sci. Comput. 26
    (2005), algorithm Sum2.

    Attributes:
        hi: The sums, rounded; inf and NaN as IEEE addition gives them.
        lo: Means nothing where hi is not finite.
        exponent: 0, or 64 where hi and lo are in units of 2**64; None where all are 0.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.hi: Floats = np.zeros(shape)
        self._lo: Floats | None = None  # Many sums are of one block, and nothing is left out.
        self.exponent: Array | None = None

    @property
    def lo(self) -> Floats:
        """What rounding left out; made when it is first asked for."""
        if self._lo is None:
            self._lo = np.zeros(self.hi.shape)
        return self._lo

    def add(
        self,
        region: tuple[slice, ...],
        hi: Floats,
        lo: Floats | None = None,
        exponent: Array | None = None,
    ) -> None:
        """Add hi + lo to the cells of a region; shapes equal the region's, None is 0 in all.

        A block is added in some 100 us, and this is done for each: in the common case it is a
        copy, or nine operations.
        """
        if exponent is not None or self.exponent is not None:
            self._add_with_care(region, hi, lo, exponent)
            return
        old = self.hi[region]
        if not np.count_nonzero(old.view(np.int64)):  # -0 counts, and may go the longer way
            old[...] = hi
            if lo is not None:
                self.lo[region] += lo
            return
        total, error = two_sum(old, hi)
        if lo is not None:
            error += lo
        # An infinity or NaN anywhere in a two-sum makes its error NaN, and that the sum of all.
        if not math.isfinite(np.add.reduce(error, axis=None)):
            self._add_with_care(region, hi, lo, exponent)
            return
        old[...] = total
        self.lo[region] += error

    def merge(self, other: ExactSum) -> None:
        """Add another sum of the same cells."""
        self.add((slice(None),), other.hi, other._lo, other.exponent)

    def _add_with_care(
        self, region: tuple[slice, ...], hi: Floats, lo: Floats | None, exponent: Array | None
    ) -> None:
        """Add where there are infinities or NaN, or sums that overflow."""
        old_hi, old_lo = self.hi[region], self.lo[region]
        old_exponent = _or_zero(self.exponent, self.hi.shape)[region]
        lo, exponent = _or_zero(lo, hi.shape), _or_zero(exponent, hi.shape)
        new_hi, new_lo = join(old_hi, old_lo, hi, lo)
        # Scaling is for the cells that need it: it would cost others their subnormal bits.
        rescale = old_exponent != exponent
        rescale |= ~np.isfinite(new_hi) & np.isfinite(old_hi) & np.isfinite(hi)
        if rescale.any():
            down = np.ldexp(1.0, old_exponent - _STEP), np.ldexp(1.0, exponent - _STEP)
            scaled_hi, scaled_lo = join(
                old_hi * down[0], old_lo * down[0], hi * down[1], lo * down[1]
            )
            new_hi = np.where(rescale, scaled_hi, new_hi)
            new_lo = np.where(rescale, scaled_lo, new_lo)
            if self.exponent is None:
                self.exponent = np.zeros(self.hi.shape, np.int32)
            self.exponent[region] = np.where(rescale, _STEP, old_exponent)
        self.hi[region] = new_hi
        self.lo[region] = new_lo

    def divided_by(self, count: Floats) -> Floats:
        """The quotient, rounded once: the first quotient corrected by its exact remainder."""
        if self.exponent is None and (self._lo is None or not self._lo.any()):
            # Nothing was rounded off: one division is one rounding.
            return self.hi / count
        hi, lo = two_sum(self.hi, self.lo)
        special = ~np.isfinite(lo)
        hi, lo = np.where(special, self.hi, hi), np.where(special, self.lo, lo)
        first = hi / count
        product, error = two_product(first, count)
        remainder = ((hi - product) - error) + lo
        corrected = first + remainder / count
        quotient: Floats = np.where(np.isfinite(corrected), corrected, first)
        return quotient if self.exponent is None else np.ldexp(quotient, self.exponent)


def join(a_hi: Floats, a_lo: Floats, b_hi: Floats, b_lo: Floats) -> tuple[Floats, Floats]:
    """The sum of two pairs, as a pair; infinities and NaN as IEEE addition gives them, with 0."""
    total, error = two_sum(a_hi, b_hi)
    hi, lo = two_sum(total, error + (a_lo + b_lo))
    special = ~np.isfinite(total)
    if special.any():
        hi = np.where(special, total, hi)
        lo = np.where(special, 0.0, lo)
    return hi, lo


def _or_zero(array: Array | None, shape: tuple[int, ...]) -> Array:
    return np.zeros(shape, np.int32) if array is None else array
