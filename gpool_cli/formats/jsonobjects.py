"""Results as JSON objects, one per map and pooling."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from gpool_cli.formats.interface import Array
from gpool_cli.formats.rows import batch_first, by_part
from gpool_cli.model import Result
from gpool_cli.printable import printable
from gpool_cli.ranking import Ranking


def objects_of(result: Result) -> Iterator[bytes]:
    """A line for every map of a result, and for every number that a channel has there."""
    for name, part in by_part(result):
        yield from _objects_named(name, part)


def _objects_named(name: str, result: Result) -> Iterator[bytes]:
    rows = batch_first(result)
    for index, row in enumerate(rows.reshape(len(rows), -1), result.start):
        said = {
            "source": printable(result.file.name),
            "dataset": printable(result.info.dataset),
            "index": index,
            "pooling": name,
            "input_shape": list(result.info.shape),
            "layout": result.layout.axes,
        }
        if result.ranking is not None:
            said["top"] = _top(result.ranking, row)
        else:
            said["values"] = numbers(row)
        text = json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        yield text.encode()


def _top(ranking: Ranking, row: Array) -> list[dict[str, Any]]:
    """The largest values of a row, with their classes."""
    ranked = ranking.of(row)
    values = numbers(row[[one.index for one in ranked]])
    return [
        {
            "rank": one.rank,
            "class": one.index,
            **({"label": printable(one.label)} if ranking.labels else {}),
            "confidence": value,
        }
        for one, value in zip(ranked, values, strict=True)
    ]


def numbers(row: Array) -> list[float | int | None]:
    """Values as JSON numbers that read back the same; null for NaN and infinities."""
    if row.dtype.kind != "f":
        return [int(value) for value in row]
    if row.dtype.itemsize == 8:
        return [value if math.isfinite(value) else None for value in row.tolist()]
    # The shortest decimal of a float32 is not that of the float64 it equals.
    return [float(str(value)) if math.isfinite(value) else None for value in row]
