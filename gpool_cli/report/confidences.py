"""The summary of confidences: the top classes of every map, each with a bar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from gpool_cli.events import Pooled
from gpool_cli.printable import printable
from gpool_cli.quantities import number_text
from gpool_cli.ranking import Ranked
from gpool_cli.report.summary import Summary, facts_of
from gpool_cli.report.table import Column, print_table
from gpool_cli.report.width import text_width

_BAR = 16
# Where a label is longer, its first name is shown.
_LABEL = 24
_EIGHTHS = " ▏▎▍▌▋▊▉"

_COLUMNS = (
    Column("source", 0, text=True, least=16),
    Column("shape", 8),
    Column("layout", 5, text=True),
    Column("dtype", 9, text=True),
    Column("pooling", 7, text=True),
    Column("activation", 6, text=True),
    Column("class", 3),
    Column("label", 1, text=True, dull=""),
    Column("confidence", 1),
    Column("", 2, text=True, dull=""),
)
_SHARED = ("shape", "layout", "dtype", "pooling")
_BLANK = dict.fromkeys(("class", "label", "confidence", ""), "")


class ConfidenceSummary(Summary):
    """Shows the top classes of a run's first and last maps; only the first where they are written.

    Args:
        preview: Show all that are asked for, because they go nowhere else.
        where: Where the results go.
        activation: What the confidences are.
    """

    def __init__(self, preview: bool, where: str, activation: str) -> None:
        super().__init__(preview, where)
        self._activation = activation

    def _print_results(self, stream: TextIO) -> None:
        first = [row for pooled in self.first for row in self._rows(pooled, stream)]
        last = [row for tell in self.last for row in self._rows(tell(), stream)]
        if first:
            left_out = self.results - len(self.first) - len(self.last)
            varied = {*_BLANK, *self.varied} if left_out else set()
            print_table(stream, _COLUMNS, [*first, *last], left_out, len(first), varied)

    def _rows(self, pooled: Pooled, stream: TextIO) -> Iterator[dict[str, str]]:
        """The cells of a map's classes; of a batch, those of its first maps."""
        facts = {name: text for name, text in facts_of(pooled).items() if name in _SHARED}
        facts["activation"] = self._activation
        for index, ranked in enumerate(pooled.ranked):
            name = _name(pooled, index)
            shown = ranked if self.preview else ranked[:1]
            for one in shown:
                yield {**facts, "source": name, **self._class_cells(one, stream)}
                name = ""
            if not ranked:
                yield {**facts, **_BLANK, "source": name, "confidence": "NaN"}
        batch = pooled.layout.batch
        rest = pooled.info.shape[batch] - len(pooled.ranked) if batch is not None else 0
        if rest > 0:
            yield {**facts, **_BLANK, "source": f"… {rest:,} more of the batch"}

    def _class_cells(self, one: Ranked, stream: TextIO) -> dict[str, str]:
        value = float(one.confidence)
        share = self._activation != "none"
        return {
            "class": str(one.index),
            "label": _shortened(printable(one.label)),
            "confidence": f"{value:.4f}" if share else number_text(value),
            "": bar_text(value, stream) if share else "",
        }


def bar_text(share: float, stream: TextIO) -> str:
    """A bar for a share of 1, as finely as the stream can show it."""
    try:
        _EIGHTHS.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return "#" * round(share * _BAR)
    full, eighths = divmod(round(share * _BAR * 8), 8)
    return ("█" * full + _EIGHTHS[eighths]).rstrip()


def _name(pooled: Pooled, index: int) -> str:
    name, dataset = printable(pooled.file.name), printable(pooled.info.dataset)
    place = f"{name}:{dataset}" if dataset else name
    return f"{place}[{index}]" if pooled.layout.batch is not None else place


def _shortened(label: str) -> str:
    """A label, or of one that is too long for a table the first of its names."""
    return label if text_width(label) <= _LABEL else label.split(",")[0]
