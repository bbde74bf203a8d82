"""jsonl: one JSON object per map and pooling, one a line."""

from __future__ import annotations

import json
import math

from gpool_cli.formats.interface import Array, Writer
from gpool_cli.formats.rows import batch_first, by_part
from gpool_cli.model import Result
from gpool_cli.printable import printable


class JsonlWriter(Writer):
    """Writes a line per map; maps of any number of channels go together."""

    streams = True

    def add(self, result: Result) -> None:
        for name, part in by_part(result):
            self._add(name, part)

    def _add(self, name: str, result: Result) -> None:
        rows = batch_first(result)
        for index, row in enumerate(rows.reshape(len(rows), -1), result.start):
            line = {
                "source": printable(result.file.name),
                "dataset": printable(result.info.dataset),
                "index": index,
                "pooling": name,
                "input_shape": list(result.info.shape),
                "layout": result.layout.axes,
                "values": numbers(row),
            }
            text = json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            self.file.write(text.encode() + b"\n")

    def finish(self) -> None:
        """Every line is written."""


def numbers(row: Array) -> list[float | int | None]:
    """Values as JSON numbers that read back the same; null for NaN and infinities."""
    if row.dtype.kind != "f":
        return [int(value) for value in row]
    if row.dtype.itemsize == 8:
        return [value if math.isfinite(value) else None for value in row.tolist()]
    # The shortest decimal of a float32 is not that of the float64 it equals.
    return [float(str(value)) if math.isfinite(value) else None for value in row]
