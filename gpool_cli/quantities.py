"""Numbers as people read them."""

from __future__ import annotations

import math
import re

from gpool_cli.errors import UsageError

# What blocks and buffers take where there is nothing large in a file.
_LEAST = 16 << 20


def bytes_text(count: float) -> str:
    """A number of bytes in the unit that suits it: ``251 kB``."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} PB"


def seconds_text(seconds: float) -> str:
    """A time: ``7 ms``, ``0.25 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 0.0995:
        return f"{round(seconds * 1000)} ms"
    if seconds < 10:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count_text(count: int, noun: str) -> str:
    """A count with its noun: ``1 map``, ``2,000 maps``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def number_text(value: float) -> str:
    """A value in at most 6 digits."""
    return f"{value:.6g}"


def finite_or_none(value: float | None) -> float | None:
    """A value for JSON, which has no infinities and no NaN."""
    return value if value is not None and math.isfinite(value) else None


def parse_bytes(text: str) -> int:
    """A number of bytes as people write it: ``800M``, ``2 GiB``, ``1000000``.

    Raises:
        UsageError: It is none, or too little to work with.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", text, re.IGNORECASE)
    if found is None:
        raise UsageError(f"{text!r} is no size", "write it as 800M or 2GiB")
    number, prefix, binary = found.groups()
    size = int(float(number) * (1024 if binary else 1000) ** " kmgt".index(prefix.lower() or " "))
    if size < _LEAST:
        raise UsageError(f"{text!r} is too little to work with", "the least is 16MiB, or 17M")
    return size
