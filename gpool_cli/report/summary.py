"""The summary: what a run did, for a person, in a table that fits."""

from __future__ import annotations

from collections import deque
from typing import TextIO

from gpool_cli.layout import Layout, shape_text, size_of
from gpool_cli.model import Event, Pooled, Skipped, Tally
from gpool_cli.printable import printable
from gpool_cli.report.lines import place_text
from gpool_cli.report.table import Column, print_table
from gpool_cli.report.units import bytes_text, count_text, number_text, seconds_text

_ENDS = 10
_ORIGINS = {"flag": "--layout", "file": "the file", "default": "default"}


class Summary:
    """Keeps the first and last results of a run, however many there are.

    Args:
        preview: Show the values themselves, because they go nowhere else.
    """

    def __init__(self, preview: bool) -> None:
        self._preview = preview
        self._first: list[Pooled] = []
        self._last: deque[Pooled] = deque(maxlen=_ENDS)
        self._results = 0
        self._skips: list[Skipped] = []
        self._skipped = 0

    def add(self, event: Event) -> None:
        """Take in what happened."""
        if isinstance(event, Pooled):
            self._results += 1
            if len(self._first) < _ENDS:
                self._first.append(event)
            else:
                self._last.append(event)
        elif isinstance(event, Skipped):
            self._skipped += 1
            if len(self._skips) < _ENDS:
                self._skips.append(event)

    def print_full(self, stream: TextIO, tally: Tally) -> None:
        """Print the table of results, what was skipped, and the totals."""
        rows = [self._row(pooled) for pooled in (*self._first, *self._last)]
        if rows:
            left_out = self._results - len(rows)
            print_table(stream, _columns(self._preview), rows, left_out, _ENDS)
        self._print_skips(stream)
        self.print_short(stream, tally)

    def print_short(self, stream: TextIO, tally: Tally) -> None:
        """Print the totals in a line, and what there is to say about NaN in another."""
        print(_totals(tally), file=stream)
        special = _special_values(tally)
        if special:
            print(special, file=stream)

    def _print_skips(self, stream: TextIO) -> None:
        for skip in self._skips:
            shape = f" ({shape_text(skip.info.shape)})" if skip.info and skip.info.shape else ""
            place = place_text(skip.file, skip.dataset)
            print(f"skipped {place}{shape}: {printable(skip.reason)}", file=stream)
        if self._skipped > len(self._skips):
            print(f"skipped {self._skipped - len(self._skips):,} more", file=stream)

    def _row(self, pooled: Pooled) -> dict[str, str]:
        name, dataset = printable(pooled.file.name), printable(pooled.info.dataset)
        row = {
            "source": f"{name}:{dataset}" if dataset else name,
            "shape": shape_text(pooled.info.shape),
            "layout": _layout_text(pooled.layout),
            "dtype": pooled.info.dtype_name,
            "pooling": pooled.pooling.label,
            "output": shape_text(pooled.shape),
            "min": _number_or_nothing(pooled.low),
            "mean": _number_or_nothing(pooled.mean),
            "max": _number_or_nothing(pooled.high),
            "NaN": f"{pooled.nan_values:,}",
            "written to": printable(pooled.where),
        }
        if self._preview:
            row["values"] = _preview_text(pooled)
        return row


def _columns(preview: bool) -> list[Column]:
    """The columns in the order they stand, with a rank for who goes first when it is narrow."""
    return [
        Column("source", 0, text=True),
        Column("shape", 2),
        Column("layout", 4, text=True),
        Column("dtype", 7, text=True),
        Column("pooling", 3, text=True),
        Column("output", 1 if not preview else 6),
        *([Column("values", 1, text=True)] if preview else []),
        Column("min", 8 if preview else 5),
        Column("mean", 9 if preview else 6),
        Column("max", 10 if preview else 5),
        Column("NaN", 11, dull="0"),
        Column("written to", 12, text=True, dull=""),
    ]


def _number_or_nothing(value: float | None) -> str:
    return number_text(value) if value is not None else ""


def _layout_text(layout: Layout) -> str:
    return f"{layout.axes} ({_ORIGINS[layout.origin]})"


def _preview_text(pooled: Pooled) -> str:
    shown = " ".join(map(number_text, pooled.preview))
    size = size_of(pooled.shape)
    return shown + (f" … ({size:,})" if size > len(pooled.preview) else "")


def _totals(tally: Tally) -> str:
    parts = [
        f"{count_text(tally.maps, 'map')} of {count_text(tally.files, 'file')}",
        f"{bytes_text(tally.bytes_in)} in",
    ]
    if tally.bytes_out:
        parts.append(f"{bytes_text(tally.bytes_out)} out")
    parts.append(seconds_text(tally.seconds))
    if tally.seconds > 0 and tally.bytes_in:
        parts.append(f"{bytes_text(tally.bytes_in / tally.seconds)}/s")
    if tally.skipped:
        parts.append(f"{tally.skipped:,} skipped")
    parts.append(f"{tally.failed_files:,} failed")
    return " · ".join(parts)


def _special_values(tally: Tally) -> str:
    parts = []
    if tally.nan_values:
        parts.append(f"{tally.nan_values:,} NaN in the results")
    if tally.inf_values:
        parts.append(f"{count_text(tally.inf_values, 'infinite value')} in the results")
    if tally.omitted:
        parts.append(f"{tally.omitted:,} NaN of the inputs left out")
    return " · ".join(parts)
