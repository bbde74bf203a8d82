"""The summary: what a run did, for a person, in a table that fits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TextIO

from gpool_cli.events import Event, Pooled, Together
from gpool_cli.layout import shape_text, size_of
from gpool_cli.model import Skipped
from gpool_cli.printable import printable
from gpool_cli.quantities import number_text
from gpool_cli.report.lines import note_text, place_text, skip_text
from gpool_cli.report.table import Column, print_table
from gpool_cli.report.totals import print_totals
from gpool_cli.report.width import width_of
from gpool_cli.tally import Tally

ENDS = 10
# Looked at in every result, to say what is the same in all; the others only where they show.
FACTS = ("shape", "layout", "dtype", "pooling", "output", "written to")
_NUMBERS = frozenset({"values", "min", "mean", "max", "NaN"})


STANDARD_OUTPUT = "standard output"


class Summary:
    """Keeps the first and last results of a run, however many there are.

    Args:
        preview: Show the values themselves, because they go nowhere else.
        where: Where the results go.
    """

    def __init__(self, preview: bool, where: str = "") -> None:
        self.preview = preview
        self._where = where
        self.first: list[Pooled] = []
        self.last: deque[Callable[[], Pooled]] = deque(maxlen=ENDS)
        self.results = 0
        self._facts: dict[str, str] = {}
        self.varied: set[str] = set()
        self._notes: dict[str, tuple[str, int]] = {}
        self._skips: list[Skipped] = []
        self._skipped = 0

    def add(self, event: Event) -> None:
        """Take in what happened."""
        if isinstance(event, Pooled):
            self._add_results(1, 1, lambda _: event)
            if event.info.note and event.first:
                self._add_note(event.info.note, place_text(event.file, event.info.dataset))
        elif isinstance(event, Together):
            self._add_results(event.count, len(event.alike.results), event.tell)
        elif isinstance(event, Skipped):
            self._skipped += 1
            if len(self._skips) < ENDS:
                self._skips.append(event)

    def _add_results(self, count: int, kinds: int, tell: Callable[[int], Pooled]) -> None:
        """Take in results; the first few have among them every fact of all."""
        for facts in map(facts_of, map(tell, range(kinds))):
            self._facts = self._facts or facts
            self.varied.update(name for name in FACTS if facts[name] != self._facts[name])
        first = min(count, ENDS - len(self.first))
        self.first += map(tell, range(first))
        self.last += (partial(tell, place) for place in range(max(first, count - ENDS), count))
        self.results += count

    def _add_note(self, note: str, place: str) -> None:
        first, count = self._notes.get(note, (place, 0))
        self._notes[note] = first, count + 1

    def print_full(self, stream: TextIO, tally: Tally) -> None:
        """Print the table of results, what was skipped, and the totals."""
        self._print_results(stream)
        for note, (first, count) in self._notes.items():
            print(note_text(note, first, count), file=stream)
        self._print_skips(stream)
        for line in self._written(tally):
            print(line, file=stream)
        print_totals(stream, tally)

    def _print_results(self, stream: TextIO) -> None:
        preview = _preview_room(width_of(stream))
        shown = [*self.first, *(tell() for tell in self.last)]
        rows = [_row(pooled, preview) for pooled in shown]
        if rows:
            left_out = self.results - len(rows)
            varied = _NUMBERS | self.varied if left_out else frozenset()
            print_table(stream, self._columns(), rows, left_out, ENDS, varied)

    def print_short(self, stream: TextIO, tally: Tally) -> None:
        """Print the totals in a line, and what there is to say about NaN in another."""
        print_totals(stream, tally, self._written(tally))

    def _written(self, tally: Tally) -> list[str]:
        """Where the results are; nothing where there are none."""
        any_there = tally.bytes_out or (self._where == STANDARD_OUTPUT and tally.maps)
        return [f"written to {self._where}"] if self._where and any_there else []

    def _columns(self) -> list[Column]:
        """The columns in the order they stand, with a rank for who goes first when it is narrow."""
        places = [Column("written to", 12, text=True, dull="", least=20)]
        return [
            Column("source", 0, text=True, least=20),
            Column("shape", 3),
            Column("layout", 2, text=True),
            Column("dtype", 9, text=True),
            Column("pooling", 1, text=True),
            Column("output", 5),
            *([Column("values", 1, text=True)] if self.preview else []),
            Column("min", 8),
            Column("mean", 6),
            Column("max", 7),
            Column("NaN", 4, dull="0"),
            *(places if "written to" in self.varied else []),
        ]

    def _print_skips(self, stream: TextIO) -> None:
        for skip in self._skips:
            print(skip_text(skip), file=stream)
        if self._skipped > len(self._skips):
            print(f"skipped {self._skipped - len(self._skips):,} more", file=stream)


def facts_of(pooled: Pooled) -> dict[str, str]:
    """What is often the same in all results of a run, by the name of its column."""
    return {
        "shape": shape_text(pooled.info.shape),
        "layout": pooled.layout.text,
        "dtype": pooled.info.dtype_name,
        "pooling": pooled.pooling.label,
        "output": shape_text(pooled.shape),
        "written to": printable(pooled.where),
    }


def _row(pooled: Pooled, preview: int) -> dict[str, str]:
    """The cells of a result; ``preview`` is the room for its first values."""
    name, dataset = printable(pooled.file.name), printable(pooled.info.dataset)
    return {
        **facts_of(pooled),
        "source": f"{name}:{dataset}" if dataset else name,
        "values": _preview_text(pooled, preview),
        "min": _number_or_nothing(pooled.low),
        "mean": _number_or_nothing(pooled.mean),
        "max": _number_or_nothing(pooled.high),
        "NaN": f"{pooled.nan_values:,}",
    }


def _number_or_nothing(value: float | None) -> str:
    return number_text(value) if value is not None else ""


def _preview_room(width: int) -> int:
    """How many characters of values are shown, so that the layout stands beside them."""
    return 10 if width < 70 else 20 if width < 100 else 48


def _preview_text(pooled: Pooled, room: int) -> str:
    shown: list[str] = []
    for text in map(number_text, pooled.preview):
        if shown and len(" ".join([*shown, text])) > room:
            break
        shown.append(text)
    size = size_of(pooled.shape)
    return " ".join(shown) + (f" … ({size:,})" if size > len(shown) else "")
