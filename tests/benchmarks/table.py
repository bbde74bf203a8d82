"""The table, as Markdown that can also be read as it is."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.ratio import ratio_text
from tests.benchmarks.rounds import Line

_HEADS = (
    "work",
    "against",
    "gpool's time",
    "its time",
    "gpool is",
    "wanted",
    "gpool's memory",
    "its memory",
    "gpool's speed",
)
_NONE = "–"


def table_text(lines: Sequence[Line]) -> str:
    """All lines as one table; below it what was left out, and what went wrong."""
    ran = [line for line in lines if not line.left_out]
    rows = [_HEADS, *(_cells(line) for line in ran)]
    widths = [max(len(row[number]) for row in rows) for number in range(len(_HEADS))]
    # Words stand left and numbers right.
    rule = "|".join(
        "-" * (width + 2) if number < 2 else "-" * (width + 1) + ":"
        for number, width in enumerate(widths)
    )
    shown = [_row(row, widths) for row in rows]
    shown.insert(1, f"|{rule}|")
    absent = sorted({line.left_out for line in lines if line.left_out})
    if absent:
        titles = ", ".join(f"{line.against} ({line.work})" for line in lines if line.left_out)
        shown += ["", f"Left out, for {' and '.join(absent)} is not installed: {titles}."]
    for line in ran:
        if line.trouble:
            shown += ["", f"FAILED: {line.work}, {line.against}: {line.trouble}"]
    return "\n".join(shown)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    sides = (
        cell.ljust(width) if number < 2 else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join(sides)} |"


def _cells(line: Line) -> tuple[str, ...]:
    both = line.ours and line.theirs
    return (
        line.work,
        line.against,
        _seconds(line.ours),
        _seconds(line.theirs),
        ratio_text(line.ours, line.theirs, line.wanted) if both and not line.trouble else _NONE,
        line.wanted.words if line.wanted else _NONE,
        _megabytes(line.our_peak),
        _megabytes(line.their_peak),
        f"{line.nbytes / line.ours / 1e6:,.0f} MB/s" if line.ours else _NONE,
    )


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f} s" if seconds else _NONE


def _megabytes(nbytes: int) -> str:
    return f"{nbytes / 1e6:,.0f} MB" if nbytes else _NONE
