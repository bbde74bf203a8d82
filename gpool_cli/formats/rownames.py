"""What each row of a stacked npy is: a small table beside it."""

from __future__ import annotations

from gpool_cli.formats.atomic import AtomicFile, Written, output_errors
from gpool_cli.formats.rows import batch_first
from gpool_cli.formats.spool import Spool
from gpool_cli.model import Alike, Result
from gpool_cli.printable import printable


class RowNames:
    """Collects source, dataset and index of every row.

    Attributes:
        results: How many results have given rows.
    """

    def __init__(self) -> None:
        self.results = 0
        self._rows = 0
        self._file = Spool()
        self._write("row", "source", "dataset", "index")

    def add(self, result: Result) -> None:
        """Name the rows of one result."""
        source, dataset = printable(result.file.name), printable(result.info.dataset)
        for index in range(len(batch_first(result))):
            self._write(self._rows, source, dataset, result.start + index)
            self._rows += 1
        self.results += result.is_last

    def add_together(self, alike: Alike) -> None:
        """Name the rows of files that are alike: one a file."""
        dataset = printable(alike.results[0].info.dataset)
        for row, file in enumerate(alike.files, self._rows):
            self._write(row, printable(file.name), dataset, 0)
        self._rows += alike.count
        self.results += alike.count

    def _write(self, *cells: object) -> None:
        # Names are printable: no tab or line break in them asks for quotes.
        self._file.write("\t".join(map(str, cells)).encode() + b"\n")

    def close(self) -> None:
        """Forget the rows."""
        self._file.close()

    def write(self, path: str) -> Written:
        """Write the table to a file, which has not its name yet."""
        output = AtomicFile(path)
        try:
            with output_errors(path):
                for part in self._file.chunks():
                    output.file.write(part)
        except BaseException:
            output.discard()
            raise
        return output.complete()
