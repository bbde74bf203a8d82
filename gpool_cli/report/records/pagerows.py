"""The rows of the page's tables: short, because there may be many."""

from __future__ import annotations

from typing import Any

from gpool_cli.events import Event, Pooled
from gpool_cli.layout import shape_text
from gpool_cli.printable import printable
from gpool_cli.ranking import Ranked
from gpool_cli.report.records.strip import strip_of
from gpool_cli.sketch import Sketch

# A text that a file chose may be of any length.
_LONGEST = 1000

COLUMNS = {
    "results": (
        *("source", "low", "high", "strip", "top", "shape", "layout", "dtype", "pooling"),
        *("output", "min", "mean", "max", "zeros", "NaN", "written to"),
    ),
    "done_before": ("source", "written to"),
    "skipped": ("source", "reason"),
    "warnings": ("source", "message"),
    "failures": ("source", "message", "what to do"),
}
"""The columns of every list."""

_ORIGINS = {"flag": "--layout", "file": "file", "default": "default"}


def row_of(name: str, item: dict[str, Any], event: Event) -> list[Any]:
    """A row of the list of that name: what is recorded of an event, and how a result looks."""
    source = _source(item)
    if isinstance(event, Pooled):
        return [source, *_result(item, event)]
    if name == "done_before":
        return [source, _short(", ".join(item["written_to"]))]
    if name == "skipped":
        return [source, _short(item["reason"])]
    if name == "warnings":
        return [source, _short(item["message"])]
    return [source, _short(item["message"]), _short(item["hint"])]


def _result(item: dict[str, Any], pooled: Pooled) -> list[Any]:
    sketch = pooled.sketch
    return [
        *(strip_of(sketch) if sketch is not None else (None, None, "")),
        _top(pooled.ranked),
        shape_text(pooled.info.shape),
        f"{item['layout']} ({_ORIGINS[item['layout_from']]})",
        item["dtype"],
        item["pooling"],
        shape_text(pooled.shape),
        *map(_rounded, (item["min"], item["mean"], item["max"])),
        _zeros(sketch),
        item["nan"],
        _short(item["written_to"]),
    ]


def _source(item: dict[str, Any]) -> str:
    dataset = item.get("dataset")
    return _short(f"{item['source']}:{dataset}" if dataset else item["source"])


def _short(text: str) -> str:
    """The end of a text that is too long: of a path it says more than the beginning."""
    return text if len(text) <= _LONGEST else "\u2026" + text[1 - _LONGEST :]


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _zeros(sketch: Sketch | None) -> int | None:
    """How many channels are 0 in all maps of a result."""
    return int((sketch.zeros == sketch.maps).sum()) if sketch is not None else None


def _top(ranked: tuple[list[Ranked], ...]) -> str:
    """The first class of the first map; '' where there are no classes."""
    if not ranked or not ranked[0]:
        return ""
    first = ranked[0][0]
    return f"{printable(first.label) or first.index} {float(first.confidence):.3g}"
