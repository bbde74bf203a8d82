"""The arithmetic on one block, at the speed of the cache, and why each trick is right.

A kernel takes values of shape (O, P, I), C order, native byte order: O kept cells outside, P pooled
positions, I kept cells inside. It gives one number per cell, shape (O, I). Channels-last maps have
rows of I neighbours that belong to I cells (order "last"); channels-first maps have I = 1, and a
row of P neighbours belongs to one cell (order "first"). `KERNELS` has a row per dtype and order.

How far off a sum may be, with u = 2**-53 and S the sum of a cell's abs(x):

====================================  =================================================
bool and integers                     exact
float16, float32                      P u S; the mean is rounded to float32, u = 2**-24
float16, a float64 asked for          exact
float64                               3 u S, and terms in u**2
float32, float64, exact sums wanted   terms in u**2 alone: some P log2(P) u**2 S
====================================  =================================================

That holds for up to `MAX_POOLED` positions; `sums` cuts longer cells. Every cut into tiles follows
from shape and dtype alone, so the same block gives the same bytes. There is no BLAS here: it has
threads of its own, and adds in an order that depends on how many. Subnormals must not be flushed
to zero, for those of float16 pass through float32. Nothing here warns: callers hold
``np.errstate``. Blocks are not empty.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gpool_cli.poolings.exact import two_sum
from gpool_cli.poolings.interface import Array, Floats

Sums = tuple[Floats, Floats | None]
Add = Callable[[Array, Any], Array]
Fold = Callable[[np.ufunc, Array], Array]

# So many 32-bit integers, or upper halves of 64-bit ones, have a sum below 2**53.
MAX_POOLED = 1 << 21

# Values widened at a time: 512 KiB as float32. Smaller tiles lose more to Python than they gain.
_TILE = 1 << 17

# Values of float32 that are added at a time: a block.
_FLOAT32_TILE = 1 << 19

# numpy widens so many values at a time, and adds longer rows of one cell in as many pieces.
_BUFFER = 8192

# Bytes in one row of a reduction: enough to hide numpy's 10-20 ns a row, and at home in L1.
_WIDE = 4096

# Bytes taken by windows at a time; there are two scratch buffers of that size.
_WINDOWS = 1 << 18

# Rows of one cell with up to so many bytes go by windows, longer ones by reduceat.
_SHORT_ROW = 100

# Rows of one cell with up to so many values are summed in a transposed copy.
_FEW = 12

# Bytes that are read several times while they are in the cache: a block, so that few are cut.
_CACHED = 2 << 20


class Scratch(threading.local):
    """Reused memory, one buffer a name and thread: fresh pages cost more than the arithmetic."""

    def __init__(self) -> None:
        self._buffers: dict[str, npt.NDArray[np.uint8]] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """An array with anything in it, valid until the name is taken again."""
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = self._buffers[name] = np.empty(size, np.uint8)
        array: Array = buffer[:size].view(dtype).reshape(shape)
        return array


scratch = Scratch()


def tiles(
    shape: tuple[int, ...], values: int = 1 << 18, rows: int = MAX_POOLED, multiple: int = 1
) -> Iterator[tuple[slice, slice]]:
    """Cut (O, P, I) into slices of O and P that lie in one piece each.

    Whole cells where they fit; otherwise cell by cell along P, by multiples of ``multiple``.

    Args:
        shape: What to cut.
        values: About so many values a tile.
        rows: At most so many positions a tile.
        multiple: Where P may be cut.
    """
    outer, pooled, inner = shape
    if pooled * inner <= values and pooled <= rows:
        step = values // (pooled * inner)
        for o in range(0, outer, step):
            yield slice(o, min(o + step, outer)), slice(0, pooled)
        return
    step = max(1, min(rows, values // inner) // multiple) * multiple
    for o in range(outer):
        for p in range(0, pooled, step):
            yield slice(o, o + 1), slice(p, min(p + step, pooled))


# Folding: one operation over P.


def _fold_last(ufunc: np.ufunc, x: Array, dtype: Any, row: int = _WIDE) -> Array:
    """Fold rows of I values, as rows of some ``row`` bytes.

    numpy spends 10-20 ns a row whatever its length, so r neighbouring positions are read as one
    row of r * I values, and the r partial results are folded afterwards. That is right for every
    associative and commutative operation; for float addition it changes the order alone.
    """
    outer, pooled, inner = x.shape
    r = min(pooled // 4, row // (inner * x.itemsize))
    if r < 4:
        return np.asarray(ufunc.reduce(x, axis=1, dtype=dtype))
    k = pooled // r
    wide = x[:, : k * r].reshape(outer, k, r * inner)
    partial_results = ufunc.reduce(wide, axis=1, dtype=dtype).reshape(outer, r, inner)
    if r < 256:
        out = ufunc.reduce(partial_results, axis=1, dtype=dtype)
    else:
        out = _fold_last(ufunc, partial_results, dtype)
    if k * r < pooled:
        ufunc(out, ufunc.reduce(x[:, k * r :], axis=1, dtype=dtype), out=out)
    return np.asarray(out)


@lru_cache(maxsize=4)
def _starts(outer: int, pooled: int) -> npt.NDArray[np.intp]:
    return np.arange(0, outer * pooled, pooled, dtype=np.intp)


def _extremes_last(ufunc: np.ufunc, x: Array) -> Array:
    """The maximum or minimum of every cell by numpy's own comparison, for rows of I values."""
    return _fold_last(ufunc, x, x.dtype)


def _extremes_first(ufunc: np.ufunc, x: Array) -> Array:
    """The maximum or minimum of every cell by numpy's own comparison, for rows of one cell.

    Long rows: reduceat over the flat block, which starts a row in a few ns where a reduction over
    the axis takes 30.

    Short rows: windows. If z[i] is the maximum of y[i] and y[i + h] over the *flat* block, for all
    i at once, then the maximum of y over a span of s from i is that of z over a span of s - h.
    With h = s // 2 the span shrinks from P to 2 in log2(P) passes, and row r's maximum is that of
    z[r P] and z[r P + 1]. The two windows may overlap, since max(v, v) = v. Windows that run from
    one row into the next are computed too, and never read.
    """
    outer, pooled, _ = x.shape
    if pooled == 1:
        return x[:, 0].copy()
    flat = x.reshape(-1)
    if pooled * x.itemsize > _SHORT_ROW:
        return np.asarray(ufunc.reduceat(flat, _starts(outer, pooled)))[:, np.newaxis]
    out = np.empty((outer, 1), x.dtype)
    step = max(1, _WINDOWS // (x.itemsize * pooled))
    for o in range(0, outer, step):
        y = flat[o * pooled : (o + step) * pooled]
        target, other = "window", "other window"
        span = pooled
        while span > 2:
            h = span // 2
            z = scratch.take(target, (y.size - h,), x.dtype)
            ufunc(y[:-h], y[h:], out=z)
            y, span, target, other = z, span - h, other, target
        rows = out[o : o + step, 0]
        ufunc(y[::pooled][: rows.size], y[1::pooled][: rows.size], out=rows)
    return out


# Maxima and minima.


def _extremes_by_bits(fold: Fold, ufunc: np.ufunc, x: Array) -> Array:
    """Extremes of floats by comparing their bits as integers.

    float16 has no vector comparison in numpy, and integers have a shorter one than all floats.

    Floats are sign and magnitude. Those without the sign bit are ordered as their bits; those with
    it the other way round; and as signed integers the latter are all below the former. So the
    maximum is the largest signed integer, unless that has the sign: then all values have it, and
    the maximum is the least magnitude, the smallest unsigned integer. A NaN without the sign lies
    above +inf and is the largest signed integer by itself. A NaN with the sign lies above -inf as
    unsigned integer; one flat pass sees whether there is any, and then its cell gets it.

    The minimum is the same with the two readings exchanged: the largest unsigned integer (the
    greatest magnitude with the sign), unless that has no sign: then the smallest signed integer.
    Here NaN with the sign wins by itself, and one without it is above +inf as signed integer.
    """
    signed, unsigned = np.dtype(f"i{x.itemsize}"), np.dtype(f"u{x.itemsize}")
    largest = ufunc is np.maximum
    first, second = (signed, unsigned) if largest else (unsigned, signed)
    infinity = np.array(-np.inf if largest else np.inf, x.dtype).view(second)
    out = np.empty((x.shape[0], x.shape[2]), x.dtype)
    for o, p in tiles(x.shape, _CACHED // x.itemsize):
        one, two = x[o, p].view(first), x[o, p].view(second)
        best = fold(np.maximum, one)
        elsewhere = (best.view(signed) < 0) == largest
        if elsewhere.any():
            best = np.where(elsewhere, fold(np.minimum, two).view(first), best)
        if np.maximum.reduce(two.reshape(-1)) > infinity:
            top = fold(np.maximum, two)
            best = np.where(top > infinity, top.view(first), best)
        found = best.view(x.dtype)
        out[o] = ufunc(out[o], found) if p.start else found
    return out


def _float32_extremes_first(ufunc: np.ufunc, x: Array) -> Array:
    """Rows of 26 to 100 float32 go by their bits.

    A reduction of so short a row is mostly its horizontal end, twice as fast for integers.
    """
    if _SHORT_ROW < x.shape[1] * x.itemsize <= 4 * _SHORT_ROW:
        return _extremes_by_bits(_extremes_first, ufunc, x)
    return _extremes_first(ufunc, x)


def _bool_extremes(fold: Fold, ufunc: np.ufunc, x: Array) -> Array:
    """Bytes other than 0 and 1, which a file may hold, are True; the result has 0 and 1 alone."""
    return np.not_equal(fold(ufunc, x.view(np.uint8)), 0)


# Plain sums.


def add_last(x: Array, dtype: Any) -> Array:
    """Sum rows of I values: numpy widens 8192 at a time, in the cache, and adds long rows."""
    return _fold_last(np.add, x, dtype)


def add_first(x: Array, dtype: Any) -> Array:
    """Sum rows of one cell.

    By einsum, whose inner loop has the least overhead a row: at P = 49 it is twice as fast as
    add.reduce. Rows too short even for that are widened into a transposed copy, in which rows of
    O values are added.
    """
    outer, pooled, _ = x.shape
    if pooled > _FEW:
        return np.asarray(np.einsum("opi->oi", x, dtype=dtype, casting="safe"))
    out = np.empty((outer, 1), dtype)
    for o, _ in tiles(x.shape, _TILE):
        part = x[o, :, 0]
        # numpy adds a column that stands alone in another order: there are always two.
        turned = scratch.take("few", (pooled, max(2, len(part))), dtype)
        turned[:, -1] = 0
        np.copyto(turned[:, : len(part)], part.T)
        out[o, 0] = np.add.reduce(turned, axis=0, dtype=dtype)[: len(part)]
    return out


def _float32_sums(add: Add, x: Array, exact: bool) -> Sums:
    """Plain float64 sums: each of P - 1 additions is off by at most u of a partial sum."""
    if exact:
        return _compensated_sums(x, True)
    hi: Floats = np.empty((x.shape[0], x.shape[2]))
    for o, p in tiles(x.shape, _FLOAT32_TILE):
        part = add(x[o, p], np.float64)
        hi[o] = hi[o] + part if p.start else part
    return hi, None


def scaled_float32(x: Array) -> npt.NDArray[np.float32]:
    """The float16 values of x times 2**-112, as float32 in scratch: exact for every bit pattern.

    A float16 is a sign, 5 bits of exponent (bias 15) and 10 of mantissa; a float32 a sign, 8 bits
    (bias 127) and 23. Widened to 32 bits with its sign, and shifted left by 13, sign and mantissa
    are in place, and the exponent is in the lower five of the eight bits; a mask clears the copies
    of the sign above them. Read with bias 127, the result is the value times 2**(15 - 127). Normal
    numbers come out as normal ones, subnormals as subnormals: both kinds have the exponent 1 - bias
    and the same mantissa, here with 13 zeros behind it. Nobody multiplies: the sums are scaled back
    by a power of two, exactly, in float64.

    The exponent 31 (inf, NaN) would read as a number. Where a tile has any, that exponent is filled
    up to 255, which keeps sign and payload.
    """
    bits = scratch.take("float16", x.shape, np.int32)
    np.copyto(bits, x.view(np.int16))
    np.left_shift(bits, np.int32(13), out=bits)
    top = np.maximum.reduce(x.view(np.uint16).reshape(-1))
    if top < 0x7C00:  # finite and without a sign, as after a ReLU: nothing to mask
        return bits.view(np.float32)
    np.bitwise_and(bits, np.int32(~0x70000000), out=bits)
    if top >= 0xFC00 or np.maximum.reduce(x.view(np.int16).reshape(-1)) >= 0x7C00:
        full = np.int32(0x0F800000)
        bits[(bits & full) == full] |= np.int32(0x7F800000)
    return bits.view(np.float32)


def _float16_sums(add: Add, x: Array, exact: bool) -> Sums:
    """float16 in tiles: widened to scaled float32, added in float64.

    Exact sums: every float16 is a multiple of 2**-24 below 2**16, so a float64 holds any sum of
    2**13 of them exactly, in whatever order. Tiles have at most that many positions, and are added
    by two-sums; there are at most 2**8 of them, and the sum of their errors is exact too.
    """
    outer, pooled, inner = x.shape
    rows = 1 << 13 if exact else MAX_POOLED
    hi: Floats = np.zeros((outer, inner))
    lo = np.zeros((outer, inner)) if exact and pooled > rows else None
    for o, p in tiles(x.shape, _TILE, rows):
        part = add(scaled_float32(x[o, p]), np.float64)
        part *= 2.0**112
        if p.start == 0:
            hi[o] = part
        elif lo is None:
            hi[o] += part
        else:
            hi[o], error = two_sum(hi[o], part)
            lo[o] += error
    return _settled(hi, lo)


def widened(x: Array) -> Floats:
    """Values as float64 in scratch; those of up to 53 bits are exact."""
    wide = scratch.take("widened", x.shape, np.float64)
    if x.dtype == np.float16:
        # numpy widens float16 one by one; by way of scaled float32 it goes by bits.
        np.multiply(scaled_float32(x), 2.0**112, out=wide, dtype=np.float64)
    else:
        np.copyto(wide, x)
    return wide


def sums_and_squares(x: Array) -> tuple[Sums, Floats]:
    """The sum of every cell and that of its squares, of float16 or float32 widened once for both.

    A square of up to 24 bits is exact in float64. The sums have the bits that `sums` gives, for
    they must not depend on what else is asked for: the tiles are the same, rows are as many values
    long, and a power of two scales a sum exactly. Only where numpy itself adds a row in pieces,
    that of one cell with more than `_BUFFER` values, are they taken by themselves.
    """
    outer, pooled, inner = x.shape
    hi, squares = np.empty((outer, inner)), np.empty((outer, inner))
    for o, p in tiles(x.shape, _TILE if x.dtype == np.float16 else _FLOAT32_TILE):
        wide = widened(x[o, p])
        part = _add_widened(wide)
        np.multiply(wide, wide, out=wide)
        squared = _add_widened(wide)
        hi[o] = hi[o] + part if p.start else part
        squares[o] = squares[o] + squared if p.start else squared
    in_pieces = inner == 1 and pooled > _BUFFER
    return sums(x, False) if in_pieces or pooled > MAX_POOLED else (hi, None), squares


def _add_widened(wide: Floats) -> Floats:
    """Sum float64 in the order in which `add_first` and `add_last` sum float32."""
    if wide.shape[2] == 1:
        return add_first(wide, np.float64)
    return _fold_last(np.add, wide, np.float64, row=2 * _WIDE)


# Compensated sums.


def _settled(hi: Floats, lo: Floats | None) -> Sums:
    """Hi + lo with lo below an ulp of hi; lo is 0 where hi is not finite, for there it is NaN."""
    if lo is None:
        return hi, None
    total, rest = two_sum(hi, lo)
    finite = np.isfinite(hi)
    if finite.all():
        return total, rest
    return np.where(finite, total, hi), np.where(finite, rest, 0.0)


def _halve(x: Array, out: Array) -> int:
    """Add the upper half of P to the lower one; an odd last row is copied.

    Returns:
        The number of sums.
    """
    h: int = x.shape[1] // 2
    np.add(x[:, :h], x[:, h : 2 * h], out=out[:, :h])
    if x.shape[1] % 2:
        out[:, h] = x[:, 2 * h]
    return h


def _eighths(x: Floats) -> Floats:
    """Three halvings with plain additions, in scratch: (O, P, I) becomes (O, P / 8, I).

    An addition is off by at most u of its own result, so a halving by at most u S in a cell, and
    three of them by 3 u S (and terms in u**2).
    """
    outer, pooled, inner = x.shape
    out = scratch.take("eighths", (outer, -(-pooled // 8), inner), np.float64)
    for o, p in tiles(x.shape, _TILE, multiple=8):
        y = x[o, p]
        for name in ("half", "quarter"):
            s = scratch.take(name, (y.shape[0], -(-y.shape[1] // 2), inner), np.float64)
            _halve(y, s)
            y = s
        _halve(y, out[o, p.start // 8 : -(-p.stop // 8)])
    return out


def _tree(x: Floats) -> tuple[Floats, Floats]:
    """Halve with two-sums until one row is left: hi is its plain sum, lo has every rounding error.

    A halving rounds off at most u S, so lo is a sum of numbers that come to u S log2(P) at most,
    and adding them plainly costs P u of that: terms in u**2.
    """
    outer, pooled, inner = x.shape
    errors = scratch.take("errors", (outer, max(1, pooled - 1), inner), np.float64)
    shadow = scratch.take("shadow", (outer, pooled // 2, inner), np.float64)
    done = 0
    name, other = "level", "other level"
    while x.shape[1] > 1:
        sums_ = scratch.take(name, (outer, -(-x.shape[1] // 2), inner), np.float64)
        h = _halve(x, sums_)
        # exact.two_sum, step by step into scratch.
        a, b, s = x[:, :h], x[:, h : 2 * h], sums_[:, :h]
        t, e = shadow[:, :h], errors[:, done : done + h]
        np.subtract(s, a, out=t)
        np.subtract(b, t, out=e)
        np.subtract(s, t, out=t)
        np.subtract(a, t, out=t)
        np.add(e, t, out=e)
        x, done, name, other = sums_, done + h, other, name
    if not done:
        return x[:, 0].copy(), np.zeros((outer, inner))
    add = add_first if inner == 1 else add_last
    return x[:, 0].copy(), add(errors, np.float64)


def _compensated(x: Array, plain: bool) -> tuple[Floats, Floats]:
    """Hi and lo, not settled, of float64 or float32; ``plain`` begins with `_eighths`.

    Many cells of few values are first turned into (1, P, O I), so that additions run over long
    rows; the tree, which has many short levels, gains from that sooner.
    """
    outer, pooled, inner = x.shape
    hi, lo = np.empty((outer, inner)), np.empty((outer, inner))
    if outer > 1 and pooled * inner < (128 if plain else 1024):
        for o, _ in tiles(x.shape, _TILE):
            part = x[o]
            turned = scratch.take("turned", (pooled, part.shape[0], inner), np.float64)
            np.copyto(turned, part.swapaxes(0, 1))
            part_hi, part_lo = _compensated(turned.reshape(1, pooled, -1), plain)
            hi[o], lo[o] = part_hi.reshape(-1, inner), part_lo.reshape(-1, inner)
        return hi, lo
    if plain:
        return _compensated(_eighths(x), False)
    for o, p in tiles(x.shape, _TILE):
        part = x[o, p]
        if x.dtype != np.float64:
            wide = scratch.take("wide", part.shape, np.float64)
            np.copyto(wide, part)
            part = wide
        part_hi, part_lo = _tree(part)
        if p.start == 0:
            hi[o], lo[o] = part_hi, part_lo
        else:
            hi[o], error = two_sum(hi[o], part_hi)
            lo[o] += part_lo + error
    return hi, lo


def _compensated_sums(x: Array, exact: bool) -> Sums:
    """float64, or float32 widened tile by tile: 3 u S by `_eighths` unless exact, then `_tree`."""
    return _settled(*_compensated(x, not exact))


# Sums of integers.


def _int_sums_last(narrow: type, most: int, x: Array, exact: bool) -> Sums:
    """Exact sums of up to 32 bits. ``most`` values fit into ``narrow`` whatever they are."""
    return _add_narrow(narrow, most, x).astype(np.float64), None


def _int_sums_first(narrow: type, most: int, x: Array, exact: bool) -> Sums:
    """The same; a row has one accumulator and not many side by side, so it is a wider one."""
    return add_first(x, narrow if x.shape[1] <= most else np.int64).astype(np.float64), None


def _add_narrow(narrow: type, most: int, x: Array) -> Array:
    """Add up to ``most`` positions in ``narrow``, as r partial sums side by side; those in int64.

    The narrower the type, the more of them a vector instruction adds.
    """
    outer, pooled, inner = x.shape
    if pooled <= most:
        return _fold_last(np.add, x, narrow)
    r = max(-(-pooled // most), min(pooled // 4, _WIDE // inner))
    k = pooled // r
    wide = x[:, : k * r].reshape(outer, k, r * inner)
    parts = np.add.reduce(wide, axis=1, dtype=narrow).reshape(outer, r, inner)
    total = _fold_last(np.add, parts, np.int64)
    if k * r < pooled:
        total = total + _add_narrow(narrow, most, x[:, k * r :])
    return total


def _bool_sums(count: Callable[[Array, bool], Sums], x: Array, exact: bool) -> Sums:
    """Count the bytes that are not 0; a file may hold any."""
    u = x.view(np.uint8)
    if np.maximum.reduce(u.reshape(-1)) > 1:
        u = np.not_equal(u, 0).view(np.uint8)
    return count(u, exact)


def _int64_sums(add: Add, x: Array, exact: bool) -> Sums:
    """Exact sums of 64-bit integers, from their upper halves and their wrapped sums.

    x = (x >> 32) * 2**32 + low, with 0 <= low < 2**32. U, the sum of the upper halves, is below
    2**21 * 2**32 = 2**53. W, the sum of x modulo 2**64, is what integer addition gives. L, the sum
    of low, is W - U * 2**32 modulo 2**64; being below 2**53 it is just that, and the lower halves
    need not be added. With the carry of L moved into U, U and the rest of L are exact as float64,
    and the sum U * 2**32 + L is a two-sum.
    """
    cells = (x.shape[0], x.shape[2])
    upper, wrapped = np.zeros(cells, x.dtype), np.zeros(cells, x.dtype)
    for o, p in tiles(x.shape, _TILE // 2):
        part = x[o, p]
        shifted = scratch.take("shifted", part.shape, x.dtype)
        np.right_shift(part, x.dtype.type(32), out=shifted)
        upper[o] += add(shifted, x.dtype)
        wrapped[o] += add(part, x.dtype)
    lower = wrapped.view(np.uint64) - (upper.view(np.uint64) << np.uint64(32))
    carry = (lower >> np.uint64(32)).astype(x.dtype)
    hi = (upper + carry).astype(np.float64) * 2.0**32
    return two_sum(hi, (lower & np.uint64(0xFFFFFFFF)).astype(np.float64))


# The table.


class Kernel(NamedTuple):
    """How blocks of one dtype and order are pooled.

    Attributes:
        sums: From a block, and whether exact sums are wanted, to the sums.
        extremes: From ``np.maximum`` or ``np.minimum`` and a block to the extremes.
    """

    sums: Callable[[Array, bool], Sums]
    extremes: Callable[[np.ufunc, Array], Array]


def _last(narrow: type, most: int) -> Kernel:
    return Kernel(partial(_int_sums_last, narrow, most), _extremes_last)


def _first(narrow: type, most: int) -> Kernel:
    return Kernel(partial(_int_sums_first, narrow, most), _extremes_first)


def _bools(integers: Kernel) -> Kernel:
    extremes = partial(_bool_extremes, integers.extremes)
    return Kernel(partial(_bool_sums, integers.sums), extremes)


def _halves(add: Add, fold: Fold) -> Kernel:
    return Kernel(partial(_float16_sums, add), partial(_extremes_by_bits, fold))


KERNELS: dict[tuple[str, str], Kernel] = {
    ("b1", "last"): _bools(_last(np.uint8, 255)),
    ("b1", "first"): _bools(_first(np.uint32, MAX_POOLED)),
    ("u1", "last"): _last(np.uint16, 257),  # 257 * 255 = 2**16 - 1
    ("u1", "first"): _first(np.uint32, MAX_POOLED),
    ("i1", "last"): _last(np.int16, 256),  # 256 * -128 = -2**15
    ("i1", "first"): _first(np.int32, MAX_POOLED),
    ("u2", "last"): _last(np.uint32, 65537),
    ("u2", "first"): _first(np.uint32, 65537),
    ("i2", "last"): _last(np.int32, 65536),
    ("i2", "first"): _first(np.int32, 65536),
    ("u4", "last"): _last(np.int64, MAX_POOLED),
    ("u4", "first"): _first(np.int64, MAX_POOLED),
    ("i4", "last"): _last(np.int64, MAX_POOLED),
    ("i4", "first"): _first(np.int64, MAX_POOLED),
    ("u8", "last"): Kernel(partial(_int64_sums, add_last), _extremes_last),
    ("u8", "first"): Kernel(partial(_int64_sums, add_first), _extremes_first),
    ("i8", "last"): Kernel(partial(_int64_sums, add_last), _extremes_last),
    ("i8", "first"): Kernel(partial(_int64_sums, add_first), _extremes_first),
    ("f2", "last"): _halves(add_last, _extremes_last),
    ("f2", "first"): _halves(add_first, _extremes_first),
    ("f4", "last"): Kernel(partial(_float32_sums, add_last), _extremes_last),
    ("f4", "first"): Kernel(partial(_float32_sums, add_first), _float32_extremes_first),
    ("f8", "last"): Kernel(_compensated_sums, _extremes_last),
    ("f8", "first"): Kernel(_compensated_sums, _extremes_first),
}


def _kernel(x: Array) -> Kernel:
    return KERNELS[f"{x.dtype.kind}{x.itemsize}", "first" if x.shape[2] == 1 else "last"]


def sums(values: Array, exact: bool) -> Sums:
    """The sum of every cell.

    Args:
        values: A block of any real dtype.
        exact: The sum must be good to a float64 ulp also where the values are narrower.

    Returns:
        hi and lo, whose sum it is, as far as the table above says; lo is None where it is 0 in
        every cell. Infinities and NaN come out in hi as IEEE addition gives them, with 0 in lo. A
        hi that is not finite though its values are has overflowed, which float64 alone can do.
    """
    kernel = _kernel(values)
    outer, pooled, inner = values.shape
    if pooled <= MAX_POOLED:
        return kernel.sums(values, exact)
    hi: Floats = np.zeros((outer, inner))
    lo: Floats = np.zeros((outer, inner))
    for o, p in tiles(values.shape, MAX_POOLED * inner, MAX_POOLED):
        part_hi, part_lo = kernel.sums(values[o, p], exact)
        hi[o], error = two_sum(hi[o], part_hi)
        lo[o] += error if part_lo is None else error + part_lo
    return _settled(hi, lo)


def maxima(values: Array) -> Array:
    """The largest value of every cell, bit for bit; NaN where there is one, either zero for 0."""
    return _kernel(values).extremes(np.maximum, values)


def minima(values: Array) -> Array:
    """The smallest value of every cell, bit for bit; NaN where there is one, either zero for 0."""
    return _kernel(values).extremes(np.minimum, values)


def cells_stand_alone(dtype: np.dtype[Any], exact: bool) -> bool:
    """Whether a cell's sum has the same bits whatever cells are in the block beside it.

    Sums of integers are exact, and float64 adds other floats in an order that follows from the
    cell alone; but `_compensated` turns blocks of many small cells.
    """
    return dtype.itemsize * (2 if exact else 1) < 8 or dtype.kind != "f"
