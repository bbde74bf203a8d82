"""csv and tsv: a row per map and pooling, with the values in columns; or a row per class."""

from __future__ import annotations

import csv
import io
from typing import BinaryIO

from gpool_cli.formats.interface import Array, Writer, WriteStyle
from gpool_cli.formats.rows import SameShape, batch_first, by_part
from gpool_cli.model import Result
from gpool_cli.printable import printable
from gpool_cli.ranking import Ranking

_RANKED = ("rank", "class", "label", "confidence")


class CsvWriter(Writer):
    """Writes comma-separated rows under one header."""

    streams = True
    delimiter = ","

    def __init__(self, file: BinaryIO, style: WriteStyle) -> None:
        super().__init__(file, style)
        self._text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        self._rows = csv.writer(self._text, delimiter=self.delimiter, lineterminator="\n")
        self._same: SameShape | None = None
        self._ranked = False

    def add(self, result: Result) -> None:
        if result.ranking is not None:
            self._add_ranked(result, result.ranking)
            return
        for name, part in by_part(result):
            self._add(name, part)

    def _add(self, name: str, result: Result) -> None:
        started = self._same is not None
        self._same = self._same or SameShape()
        rows = self._same.rows_of(result)
        rows = rows.reshape(len(rows), -1)
        if not started:
            channels = [f"c{i}" for i in range(rows.shape[1])]
            self._rows.writerow(["source", "dataset", "index", "pooling", *channels])
        for index, row in enumerate(rows, result.start):
            self._rows.writerow(
                [
                    printable(result.file.name),
                    printable(result.info.dataset),
                    index,
                    name,
                    *shortest(row),
                ]
            )

    def _add_ranked(self, result: Result, ranking: Ranking) -> None:
        """A row for each of the largest values of every map."""
        if not self._ranked:
            self._rows.writerow(["source", "dataset", "index", "pooling", *_RANKED])
            self._ranked = True
        place = printable(result.file.name), printable(result.info.dataset)
        for index, row in enumerate(batch_first(result), result.start):
            for one in ranking.of(row.ravel()):
                named = one.rank, one.index, printable(one.label), str(one.confidence)
                self._rows.writerow([*place, index, result.pooling.label, *named])

    def finish(self) -> None:
        self._text.detach()

    def abandon(self) -> None:
        self._text.detach()


class TsvWriter(CsvWriter):
    """Writes the same with tabs."""

    delimiter = "\t"


def shortest(row: Array) -> list[str]:
    """Every number in the fewest digits that read back the same."""
    if row.dtype.kind == "b":
        return [str(int(value)) for value in row]
    return [str(value) for value in row]
