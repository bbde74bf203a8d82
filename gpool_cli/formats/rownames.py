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
        self._waiting: list[tuple[str, str, range]] = []
        self._write("row", "source", "dataset", "index")

    def add(self, result: Result) -> None:
        """Name the rows of one result; those of the first wait, for alone they need no names."""
        indices = range(result.start, result.start + len(batch_first(result)))
        self._waiting.append((printable(result.file.name), printable(result.info.dataset), indices))
        if self.results:
            self._write_waiting()
        self.results += result.is_last

    def _write_waiting(self) -> None:
        for source, dataset, indices in self._waiting:
            for index in indices:
                self._write(self._rows, source, dataset, index)
                self._rows += 1
        self._waiting = []

    def add_together(self, alike: Alike) -> None:
        """Name the rows of files that are alike: one a file."""
        self._write_waiting()
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
        self._write_waiting()
        output = AtomicFile(path)
        try:
            with output_errors(path):
                for part in self._file.chunks():
                    output.file.write(part)
        except BaseException:
            output.discard()
            raise
        return output.complete()
