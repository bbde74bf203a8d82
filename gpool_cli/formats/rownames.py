"""What each row of a stacked npy is: a small table beside it."""

from __future__ import annotations

import csv
import io
import tempfile

from gpool_cli.formats.atomic import AtomicFile, output_errors
from gpool_cli.formats.rows import batch_first
from gpool_cli.model import Result
from gpool_cli.printable import printable

_IN_MEMORY = 16 << 20


class RowNames:
    """Collects source, dataset and index of every row.

    Attributes:
        results: How many results have given rows.
    """

    def __init__(self) -> None:
        self.results = 0
        self._rows = 0
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="")
        self._table = csv.writer(self._file, delimiter="\t", lineterminator="\n")
        self._table.writerow(["row", "source", "dataset", "index"])

    def add(self, result: Result) -> None:
        """Name the rows of one result."""
        source, dataset = printable(result.file.name), printable(result.info.dataset)
        for index in range(len(batch_first(result))):
            self._table.writerow([self._rows, source, dataset, result.start + index])
            self._rows += 1
        self.results += result.is_last

    def close(self) -> None:
        """Forget the rows."""
        self._file.close()

    def write(self, path: str) -> int:
        """Write the table to a file, and say how many bytes it has."""
        output = AtomicFile(path)
        with output_errors(path):
            text = io.TextIOWrapper(output.file, "utf-8", newline="", write_through=True)
            self._file.seek(0)
            while part := self._file.read(1 << 20):
                text.write(part)
            text.detach()
        return output.commit()
