"""What HDF5's deflate, shuffle and fletcher32 filters did to a chunk, undone in bounded memory.

Nothing here knows HDF5's files: bytes in, bytes out. A `ChunkError` says what is wrong with the
bytes; the caller adds where they came from.
"""

from __future__ import annotations

import sys
import zlib
from typing import Any, Protocol

import numpy as np

from gpool_cli.formats.buffers import Bytes

libdeflate: Any
try:
    import deflate as libdeflate
except ImportError:  # It is for speed: the standard library does the same at half the pace.
    libdeflate = None


# Elements unshuffled at one time: the tile and its scratch (256 KiB each for float32) stay in L2.
_TILE = 1 << 16

# Below this many elements the calls of the tiled way cost more than it saves.
_FEW = 1 << 14

# fletcher32: 64-bit words in a row of the sums, and how many rows are summed at one time (128 KiB).
_ROW = 2048
_ROWS = 8
_LANES = np.uint64(0x0000FFFF0000FFFF)

# The sum of 16-bit words over this many rows just fits a lane of 32 bits.
_MOST_ROWS = 1 << 16


class ChunkError(Exception):
    """A chunk is not what the file says it is."""


class Damaged(ChunkError):
    """The bytes are no zlib stream of the size they should have, or don't fit their checksum."""


class Inflate(Protocol):
    """Inflates a zlib stream that has to come to exactly `size` bytes; what follows it is let be.

    Raises:
        Damaged: It is no zlib stream, is cut off, or is longer.
        ChunkError: It is shorter.
    """

    def __call__(self, stored: Bytes, size: int) -> bytes | bytearray: ...


def inflate_libdeflate(stored: Bytes, size: int) -> bytes | bytearray:
    """Inflate into one buffer; libdeflate says so where the stream would go past it."""
    if not 0 < size < 1 << 32:  # The binding cuts what a C unsigned int can't hold.
        return inflate_zlib(stored, size)
    try:
        out: bytearray = libdeflate.zlib_decompress(stored, size)
    except libdeflate.DeflateError:
        message = f"it is no zlib stream of {size} bytes (damaged, cut off, or longer)"
        raise Damaged(message) from None
    return _of_size(out, size)


def inflate_zlib(stored: Bytes, size: int) -> bytes | bytearray:
    """Inflate with the standard library; asked for one byte more, it sees the stream's end."""
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(stored.data, size + 1)
    except zlib.error as error:
        raise Damaged(f"it is no zlib stream ({error})") from None
    if len(out) > size:
        raise Damaged(f"it decodes to more than {size} bytes")
    if not stream.eof:
        raise Damaged("its zlib stream is cut off")
    return _of_size(out, size)


def _of_size(out: bytes | bytearray, size: int) -> bytes | bytearray:
    if len(out) != size:
        raise ChunkError(f"it decodes to {len(out)} bytes, not {size}")
    return out


inflate: Inflate = inflate_libdeflate if libdeflate is not None else inflate_zlib


def unshuffle(
    planes: Bytes, out: Bytes, itemsize: int, scratch: Bytes, *, swap: bool = False
) -> None:
    """Put the byte planes of HDF5's shuffle filter back into elements.

    Two and four byte elements on a little-endian machine: each plane is widened to the width of an
    element, which puts its byte at the start of an element with zeros behind, and is or-ed in `b`
    bytes further on. Seen as bytes, that is a shift by 8·b bits without the shift: the last `b`
    bytes left out of the scratch are zeros of the widening, and the first `b` of the tile belong
    to planes before. Everything is a straight run over memory, which numpy vectorises. Other
    widths are stored plane by plane with a stride; at 8 bytes that is the faster way as well.

    Args:
        planes: The first byte of every element, then the second of every element, and so on, then
            the bytes of a last, incomplete element as they are.
        out: As long as the planes.
        itemsize: Bytes an element.
        scratch: At least `scratch_size` bytes, or as many as the planes have.
        swap: Also reverse the bytes of every element, which costs nothing here.
    """
    n = len(planes) // itemsize
    whole = n * itemsize
    rows = planes[:whole].reshape(itemsize, n)
    if swap:
        rows = rows[::-1]
    if itemsize in (2, 4) and n >= _FEW and sys.byteorder == "little":
        wide = np.dtype(f"u{itemsize}")
        for start in range(0, n, _TILE):
            stop = min(start + _TILE, n)
            tile = out[start * itemsize : stop * itemsize]
            np.copyto(tile.view(wide), rows[0, start:stop])
            widened = scratch[: len(tile)]
            for b in range(1, itemsize):
                np.copyto(widened.view(wide), rows[b, start:stop])
                np.bitwise_or(tile[b:], widened[:-b], out=tile[b:])
    else:
        elements = out[:whole].reshape(n, itemsize)
        for b in range(itemsize):
            elements[:, b] = rows[b]
    out[whole:] = planes[whole:]


def scratch_size(itemsize: int) -> int:
    """How much scratch `unshuffle` needs at most."""
    return _TILE * itemsize


def check_fletcher32(stored: Bytes) -> Bytes:
    """The bytes before the checksum, which must fit them.

    The checksum is HDF5's own, or that of HDF5 before 1.6.3, which swapped the bytes of each half.
    """
    if len(stored) <= 4:
        raise ChunkError(f"its {len(stored)} bytes can't hold data and a fletcher32 checksum")
    data = stored[:-4]
    found = int.from_bytes(stored[-4:].tobytes(), "little")
    due = fletcher32(data)
    if found not in (due, (due & 0x00FF00FF) << 8 | (due & 0xFF00FF00) >> 8):
        raise Damaged(f"its fletcher32 checksum is {found:08x}, its data gives {due:08x}")
    return data


def fletcher32(data: Bytes) -> int:
    """HDF5's Fletcher-32: big-endian 16-bit words, an odd last byte padded, sums modulo 65535.

    With words w[0..N-1] the sums are s1 = Σ w[i] and s2 = Σ (N-i)·w[i]. HDF5 adds word after word
    and folds the carry back; that leaves the residue modulo 65535, with 65535 (never 0) for a sum
    that is a positive multiple. So any way to the same sums gives the same number:

    - Swapping a word's bytes multiplies it by 256 modulo 65535, and so does swapping the sum's:
      the sums are taken over little-endian words and swapped at the end.
    - The words are laid out as rows of 4·_ROW. Σ i·w[i] is the sum over rows of (first index of
      the row)·(sum of the row), and over columns of (column)·(sum of the column); both kinds of
      sum are plain vector additions. A 64-bit word holds four of the words, split into two pairs
      of 32-bit lanes, wide enough for 65536 rows; longer data goes in pieces.
    """
    words = (len(data) + 1) // 2
    piece = _MOST_ROWS * _ROW * 8
    s1 = weighted = 0  # Σ w[i], Σ i·w[i]
    for start in range(0, len(data), piece):
        total, inner = _sums(data[start : start + piece])
        s1 += total
        weighted += start // 2 * total + inner
    s2 = words * s1 - weighted
    return _fold(s2) << 16 | _fold(s1)


def _fold(total: int) -> int:
    low = total % 65535 or (65535 if total else 0)
    return (low & 0xFF) << 8 | low >> 8


def _sums(data: Bytes) -> tuple[int, int]:
    """Σ w[i] and Σ i·w[i] over little-endian words, exact."""
    full = len(data) // (8 * _ROW)
    rest = data[full * 8 * _ROW :]
    tail = np.zeros(8 * _ROW, np.uint8)
    tail[: len(rest)] = rest
    matrix = data[: full * 8 * _ROW].view("<u8").reshape(full, _ROW)
    even, odd = np.empty((2, _ROWS, _ROW), np.uint64)
    columns = np.zeros((2, _ROW), np.uint64)  # Words 0 and 2, words 1 and 3 of each 64-bit word.
    row_sums = np.empty(full + 1, np.uint64)
    blocks = [(r, matrix[r : r + _ROWS]) for r in range(0, full, _ROWS)]
    blocks.append((full, tail.view("<u8").reshape(1, _ROW)))
    for r, block in blocks:
        e, o = even[: len(block)], odd[: len(block)]
        np.bitwise_and(block, _LANES, out=e)
        np.right_shift(block, np.uint64(16), out=o)
        np.bitwise_and(o, _LANES, out=o)
        columns[0] += np.add.reduce(e, axis=0)
        columns[1] += np.add.reduce(o, axis=0)
        np.add(e, o, out=e)  # 17 bits a lane, 28 after the sum of a row.
        np.add.reduce(e, axis=1, out=row_sums[r : r + len(block)])
    low, high = np.uint64(0xFFFFFFFF), np.uint64(32)
    per_row = (row_sums & low) + (row_sums >> high)  # Below 2²⁹, at most 65537 of them.
    lanes = [columns[0] & low, columns[1] & low, columns[0] >> high, columns[1] >> high]
    per_word = np.stack(lanes, axis=1).reshape(-1)  # Below 2³².
    total = int(per_row.sum())
    by_row = int((per_row * np.arange(full + 1, dtype=np.uint64)).sum())  # Below 2⁶¹.
    by_column = int((per_word * np.arange(4 * _ROW, dtype=np.uint64)).sum())  # Below 2⁵⁸.
    return total, 4 * _ROW * by_row + by_column
