"""From a healthy file to a damaged one; the same number gives the same damage."""

from __future__ import annotations

import random
from collections.abc import Callable

_ODD = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1]
_ODD += [(1 << 64) - 1, 0xFFFFFFFFFFFFFFF0, 0x100000000]


def mutant(data: bytes, chosen: random.Random) -> bytes:
    """A file with one to six damages."""
    damaged = bytearray(data)
    for _ in range(chosen.choice([1, 1, 1, 2, 3, 6])):
        chosen.choice(_DAMAGES)(damaged, chosen)
    return bytes(damaged)


def _place(data: bytearray, chosen: random.Random) -> int:
    """Anywhere; and more often in the first part, where headers are."""
    end = len(data) if chosen.random() < 0.6 else min(len(data), 600)
    return chosen.randrange(end) if end else 0


def _flip(data: bytearray, chosen: random.Random) -> None:
    if data:
        data[_place(data, chosen)] ^= 1 << chosen.randrange(8)


def _odd_number(data: bytearray, chosen: random.Random) -> None:
    size = chosen.choice([1, 2, 4, 8])
    at = _place(data, chosen)
    number = chosen.choice(_ODD) & ((1 << 8 * size) - 1)
    data[at : at + size] = number.to_bytes(size, chosen.choice(["little", "big"]))[: len(data) - at]


def _noise(data: bytearray, chosen: random.Random) -> None:
    at = _place(data, chosen)
    length = min(chosen.randrange(1, 40), len(data) - at)
    data[at : at + length] = chosen.randbytes(length)


def _cut(data: bytearray, chosen: random.Random) -> None:
    del data[_place(data, chosen) :]


def _remove(data: bytearray, chosen: random.Random) -> None:
    at = _place(data, chosen)
    del data[at : at + chosen.randrange(1, 64)]


def _insert(data: bytearray, chosen: random.Random) -> None:
    at = _place(data, chosen)
    data[at:at] = chosen.randbytes(chosen.randrange(1, 64))


def _repeat(data: bytearray, chosen: random.Random) -> None:
    """Put a piece of the file in another place: addresses and sizes where others are due."""
    source, target = _place(data, chosen), _place(data, chosen)
    piece = data[source : source + chosen.choice([4, 8, 16, 64, 256])]
    data[target : target + len(piece)] = piece


_DAMAGES: list[Callable[[bytearray, random.Random], None]] = [
    *(_flip, _flip, _odd_number, _odd_number, _odd_number),
    *(_noise, _cut, _remove, _insert, _repeat),
]
