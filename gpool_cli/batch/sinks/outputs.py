"""Open outputs by path, each with its writer."""

from __future__ import annotations

import contextlib

from gpool_cli.batch.stopping import held
from gpool_cli.formats import Row, load_writer
from gpool_cli.formats.atomic import AtomicFile, output_errors
from gpool_cli.formats.interface import Writer, WriteStyle
from gpool_cli.model import InputFile, Result


class Outputs:
    """Open outputs by path, each with its writer."""

    def __init__(self, row: Row, style: WriteStyle) -> None:
        self._make = load_writer(row)
        self._style = style
        self._open: dict[str, tuple[AtomicFile, Writer]] = {}

    @held()
    def add(self, path: str, result: Result) -> None:
        if path not in self._open:
            file = AtomicFile(path)
            with output_errors(path):
                self._open[path] = file, self._make(file.file, self._style)
            self.begin(result.file)
        with output_errors(path):
            self._open[path][1].add(result)

    @held()
    def begin(self, file: InputFile) -> None:
        for path, (_, writer) in self._open.items():
            with output_errors(path):
                writer.begin(file)

    @held()
    def end(self) -> None:
        for path, (_, writer) in self._open.items():
            with output_errors(path):
                writer.end()

    @held()
    def commit(self) -> int:
        size = 0
        while self._open:
            path, (file, writer) = next(iter(self._open.items()))
            with output_errors(path):
                writer.finish()
            size += file.commit()
            del self._open[path]
        return size

    @held()
    def discard(self) -> None:
        for file, writer in self._open.values():
            # It may fail for the reason that the output is thrown away for.
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                writer.abandon()
            file.discard()
        self._open = {}
