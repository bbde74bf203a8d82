"""Numbers as people read them."""

from __future__ import annotations


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
