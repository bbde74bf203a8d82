"""Results on standard output."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, BinaryIO

from gpool_cli.batch.destination import Destination
from gpool_cli.batch.sinks.interface import Sink
from gpool_cli.errors import OutputError, ReaderLeft
from gpool_cli.formats import load_writer
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import InputFile, Result

if TYPE_CHECKING:
    from gpool_cli.surroundings import Surroundings


class StdoutSink(Sink):
    """Results on standard output: at once where the format streams, else when all are there."""

    def __init__(self, destination: Destination, style: WriteStyle) -> None:
        assert destination.format is not None
        make = load_writer(destination.format)
        self._at_once = make.streams and not (style.stack and not destination.format.text)
        self._file = sys.stdout.buffer if self._at_once else _temporary_file()
        self._writer = make(self._file, style)
        self._any = False

    def begin(self, file: InputFile) -> None:
        self._writer.begin(file)

    def surround(self, surroundings: Surroundings) -> None:
        self._writer.surround(surroundings)

    def add(self, result: Result) -> str:
        with _pipe_errors():
            self._writer.add(result)
            if self._at_once:
                self._file.flush()
        self._any = True
        return "-"

    def end(self, failed: bool) -> None:
        with _pipe_errors():
            self._writer.end()

    def finish(self, failed: bool) -> None:
        if not self._any:
            self.discard()
            return
        with _pipe_errors():
            self._writer.finish()
            if not self._at_once:
                self._file.seek(0)
                while part := self._file.read(1 << 20):
                    sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
        self._close()

    def discard(self) -> None:
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            self._writer.abandon()
        self._close()

    def _close(self) -> None:
        if not self._at_once:
            self._file.close()


def _temporary_file() -> BinaryIO:
    import tempfile

    return tempfile.TemporaryFile()


class _pipe_errors(contextlib.AbstractContextManager[None]):  # noqa: N801 - reads as a statement
    """Say that the reader of the pipe left, or that standard output can't be written."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BrokenPipeError):
            # What Python still holds for the pipe would fail again when the process ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise ReaderLeft("the reader of the pipe left before all was written") from error
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise OutputError(f"can't write standard output: {reason}", "what came is cut short")
