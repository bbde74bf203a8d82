"""The record to look at: one page that needs nothing else, and runs nothing from a file's name.

Everything that comes from a run stands in two blocks of JSON. All times are in the second, so
that the rest is the same whenever the input is the same.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

from gpool_cli import __version__
from gpool_cli.events import Event, Pooled
from gpool_cli.printable import printable
from gpool_cli.quantities import bytes_text, count_text, seconds_text
from gpool_cli.recipe import Recipe
from gpool_cli.report.records.interface import Ending, Form
from gpool_cli.report.records.items import LISTS, item_of, singles
from gpool_cli.report.records.pace import Pace
from gpool_cli.report.records.pagerows import COLUMNS, row_of
from gpool_cli.report.records.strip import level_colours
from gpool_cli.report.records.zerobins import LABELS, ZeroBins
from gpool_cli.tally import Tally

# A browser bears so many rows of a list. Those of a larger run are in the record for machines.
MOST_ROWS = 50_000

_SCRIPTS = ("elements.js", "strips.js", "sorting.js", "tables.js", "charts.js", "page.js")


class PageForm(Form):
    """One page of HTML: totals, failures, pace, channels that are 0, and tables of all lists."""

    sketched = True

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self._counts: Counter[str] = Counter()
        self._pace = Pace()
        self._zeros = ZeroBins()

    def items(self, event: Event) -> Iterator[tuple[str, str]]:
        for single in singles(event):
            if isinstance(single, Pooled):
                self._count(single)
            named = item_of(single)
            if named is not None:
                name, item = named
                self._counts[name] += 1
                if self._counts[name] <= MOST_ROWS:
                    yield name, _json(row_of(name, item, single))

    def _count(self, pooled: Pooled) -> None:
        if pooled.first:
            self._pace.count(pooled.info.nbytes)
        if pooled.sketch is not None:
            self._zeros.take_in(pooled.sketch)

    def parts(self, ending: Ending, lists: Mapping[str, Iterable[bytes]]) -> Iterator[bytes]:
        before, between, after = _frame()
        yield before.encode()
        yield _safe(_json(self._facts(ending)).encode())[:-1]
        yield b',\n"rows":{'
        for number, name in enumerate(LISTS):
            yield f'{"," if number else ""}\n"{name}":['.encode()
            yield from map(_safe, lists[name])
            yield b"]"
        yield b"}}"
        yield between.encode()
        yield _json(self._times(ending.tally)).encode()
        yield after.encode()

    def _facts(self, ending: Ending) -> dict[str, Any]:
        """What is known of the run, but for the lists and the times."""
        return {
            "gpool": __version__,
            "recipe": self.recipe.describe(),
            "exit_code": ending.exit_code,
            "ended_by": printable(ending.ended_by),
            "failed": ending.tally.failed_files,
            "totals": _totals(ending.tally),
            "counts": {name: self._counts[name] for name in LISTS},
            "columns": COLUMNS,
            "colours": level_colours(),
            "zeros": self._zero_facts(),
        }

    def _zero_facts(self) -> dict[str, Any] | None:
        """How often channels are 0; nothing where confidences took their place."""
        bins = self._zeros.bins() if not self.recipe.activation else None
        return {"labels": LABELS, "channels": bins} if bins is not None else None

    def _times(self, tally: Tally) -> dict[str, Any]:
        """When what was done; the last slot is as long as the run had it."""
        slot, seconds = self._pace.seconds, tally.seconds
        count = len(self._pace.maps)
        lengths = [max(min(slot, seconds - i * slot), slot / 8) for i in range(count)]
        rates = [size / length for size, length in zip(self._pace.bytes, lengths, strict=True)]
        facts = [["time", seconds_text(seconds)]]
        if seconds > 0 and tally.bytes_in:
            facts.append(["throughput", f"{bytes_text(tally.bytes_in / seconds)}/s"])
        return {
            "totals": facts,
            "slot": slot,
            "duration": seconds_text(seconds),
            "rates": [round(rate) for rate in rates],
            "maps": self._pace.maps,
            "peak": f"{bytes_text(max(rates, default=0))}/s",
        }


def _totals(tally: Tally) -> list[tuple[str, str]]:
    """The totals as names and texts."""
    always = [
        (_noun(tally.maps, "map"), f"{tally.maps:,}"),
        (_noun(tally.files, "file"), f"{tally.files:,}"),
        ("failed", f"{tally.failed_files:,}"),
        ("in", bytes_text(tally.bytes_in)),
    ]
    where_any = [
        ("out", tally.bytes_out, bytes_text(tally.bytes_out)),
        ("skipped", tally.skipped, f"{tally.skipped:,}"),
        ("done before", tally.done_before, f"{tally.done_before:,}"),
        ("NaN in results", tally.nan_values, f"{tally.nan_values:,}"),
        ("infinities in results", tally.inf_values, f"{tally.inf_values:,}"),
        ("NaN left out", tally.omitted, f"{tally.omitted:,}"),
    ]
    return always + [(name, text) for name, count, text in where_any if count]


def _noun(count: int, noun: str) -> str:
    return count_text(count, noun).split()[1]


def _frame() -> tuple[str, str, str]:
    """The page before the run's facts, between them and the times, and after those."""
    style = _asset("style.css")
    script = "".join(map(_asset, _SCRIPTS))
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_checksum(script)}'",
            f"style-src '{_checksum(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )
    page = _asset("page.html").replace("@POLICY@", policy).replace("@STYLE@", style)
    before, rest = page.replace("@SCRIPT@", script).split("@FACTS@")
    between, after = rest.split("@TIMES@")
    return before, between, after


def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _checksum(text: str) -> str:
    """What the page allows a block to be: nothing else runs, and nothing else styles."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _safe(data: bytes) -> bytes:
    """JSON that ends no block of a page: in JSON the sign stands only in strings."""
    return data.replace(b"<", b"\\u003c")
