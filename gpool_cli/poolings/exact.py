"""Sums that stay exact: numbers kept as the unevaluated sum of two float64 (double-double).

A pair (hi, lo) stands for hi + lo with |lo| at most half an ulp of hi, which is about 106 bits.
Sources: T. J. Dekker, "A floating-point technique for extending the available precision",
Numer. Math. 18 (1971); D. E. Knuth, The Art of Computer Programming 2, section 4.2.2 (two-sum).
"""

from __future__ import annotations

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
    """A sum per cell in double-double, which a float64 overflow on the way does not hurt.

    Attributes:
        hi: The sums, rounded; inf and NaN as IEEE addition gives them.
        lo: What rounding left out; 0 where hi is not finite.
        exponent: 0, or 64 where hi and lo are in units of 2**64.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.hi: Floats = np.zeros(shape)
        self.lo: Floats = np.zeros(shape)
        self.exponent = np.zeros(shape, np.int32)

    def add(self, region: tuple[slice, ...], hi: Floats, lo: Floats, exponent: Array) -> None:
        """Add a double-double per cell to the cells of a region (shapes equal the region's)."""
        old_hi, old_lo, old_exponent = self.hi[region], self.lo[region], self.exponent[region]
        new_hi, new_lo = _add(old_hi, old_lo, hi, lo)
        # Scaling is for the cells that need it: it would cost others their subnormal bits.
        rescale = old_exponent != exponent
        rescale |= ~np.isfinite(new_hi) & np.isfinite(old_hi) & np.isfinite(hi)
        if rescale.any():
            down = np.ldexp(1.0, old_exponent - _STEP), np.ldexp(1.0, exponent - _STEP)
            scaled_hi, scaled_lo = _add(
                old_hi * down[0], old_lo * down[0], hi * down[1], lo * down[1]
            )
            new_hi = np.where(rescale, scaled_hi, new_hi)
            new_lo = np.where(rescale, scaled_lo, new_lo)
            self.exponent[region] = np.where(rescale, _STEP, old_exponent)
        self.hi[region] = new_hi
        self.lo[region] = new_lo

    def divided_by(self, count: Floats) -> Floats:
        """The quotient, rounded once: the first quotient corrected by its exact remainder."""
        first = self.hi / count
        product, error = two_product(first, count)
        remainder = ((self.hi - product) - error) + self.lo
        corrected = first + remainder / count
        quotient = np.where(np.isfinite(corrected), corrected, first)
        return np.ldexp(quotient, self.exponent)


def _add(a_hi: Floats, a_lo: Floats, b_hi: Floats, b_lo: Floats) -> tuple[Floats, Floats]:
    total, error = two_sum(a_hi, b_hi)
    error += a_lo + b_lo
    hi = total + error
    lo = error - (hi - total)
    special = ~np.isfinite(total)
    if special.any():
        hi = np.where(special, total, hi)
        lo = np.where(special, 0.0, lo)
    return hi, lo
