"""Where results are put while a run lives: one sink per kind of destination."""

from __future__ import annotations

import contextlib
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import BinaryIO

from gpool_cli.batch.destination import Destination
from gpool_cli.batch.stopping import held
from gpool_cli.errors import InputError, OutputError, ReaderLeft
from gpool_cli.formats import Row, load_writer
from gpool_cli.formats.atomic import AtomicFile, output_errors
from gpool_cli.formats.interface import Writer, WriteStyle
from gpool_cli.formats.rownames import RowNames
from gpool_cli.model import Alike, InputFile, Result
from gpool_cli.printable import printable
from gpool_cli.surroundings import Surroundings


class Sink(ABC):
    """Takes the results of a run, input by input, in order.

    Attributes:
        bytes_out: Bytes of finished outputs.
    """

    bytes_out = 0

    def begin(self, file: InputFile, surroundings: Surroundings | None) -> None:
        """Say that the results of this input come next, and what else is taken over from it.

        Raises:
            InputError: That has no place in the output.
        """

    @abstractmethod
    def add(self, result: Result) -> str:
        """Take one result, and say where it goes.

        Raises:
            InputError: It can't stand beside the earlier ones.
            OutputError: It can't be written.
        """

    def add_together(self, alike: Alike) -> list[str] | None:
        """Take the results of files that are alike, and say where those of each pooling go.

        Returns:
            None where it took nothing, because each file must be taken by itself.

        Raises:
            OutputError: They can't be written.
        """
        return None

    def end(self, failed: bool) -> None:
        """Say that the input is done, and whether something in it failed."""

    def finish(self, failed: bool) -> None:
        """Put everything in its place; with ``failed``, some input could not be answered."""

    def discard(self) -> None:
        """Leave nothing half written behind."""


class NoSink(Sink):
    """Results that only the summary shows."""

    def add(self, result: Result) -> str:
        return ""

    def add_together(self, alike: Alike) -> list[str] | None:
        return [""] * len(alike.results)


class _Outputs:
    """Open outputs by path, each with its writer."""

    def __init__(self, row: Row, style: WriteStyle) -> None:
        self._make = load_writer(row)
        self._style = style
        self._open: dict[str, tuple[AtomicFile, Writer]] = {}
        self._surroundings: Surroundings | None = None

    @held()
    def add(self, path: str, result: Result) -> None:
        if path not in self._open:
            file = AtomicFile(path)
            with output_errors(path):
                self._open[path] = file, self._make(file.file, self._style)
                self._open[path][1].begin(result.file, self._surroundings)
        with output_errors(path):
            self._open[path][1].add(result)

    @held()
    def begin(self, file: InputFile, surroundings: Surroundings | None) -> None:
        self._surroundings = surroundings
        for path, (_, writer) in self._open.items():
            with output_errors(path):
                writer.begin(file, surroundings)

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


class DirectorySink(Sink):
    """Outputs of their own for every input; an input that fails leaves none."""

    def __init__(
        self, destination: Destination, style: WriteStyle, planned: Mapping[str, str]
    ) -> None:
        self._destination = destination
        self._style = style
        self._planned = planned
        self._unplanned: set[str] = set()
        self._outputs: _Outputs | None = None

    def begin(self, file: InputFile, surroundings: Surroundings | None) -> None:
        self._outputs = _Outputs(self._destination.format_for(file), self._style)
        self._outputs.begin(file, surroundings)

    def add(self, result: Result) -> str:
        assert self._outputs is not None
        several = result.parts > 1 or result.file.path == "-"
        datasets = [result.info.dataset, ""] if several else [""]
        paths = self._destination.outputs_in_directory(result.file, datasets)
        place = self._destination.poolings.index(result.pooling.label)
        path = paths[place if len(paths) > 1 else 0]
        if several and result.info.dataset and result.start == 0:
            self._check_unplanned(path, result.file)
        self._outputs.add(path, result)
        return path

    def _check_unplanned(self, path: str, file: InputFile) -> None:
        """Refuse to replace what the plan did not know of.

        How many arrays follow one another in a file or a pipe is seen only when they are read.
        """
        owner = self._planned.get(path)
        if owner == file.path:
            return
        taken = owner is not None or path in self._unplanned
        if taken or (os.path.lexists(path) and not self._destination.overwrite):
            raise InputError(
                f"would be written to {printable(path)}, which is already there",
                "choose another -o, or one file for all results such as .h5 or .npz",
            )
        self._unplanned.add(path)

    def end(self, failed: bool) -> None:
        assert self._outputs is not None
        if not failed:
            try:
                self._outputs.end()
                self.bytes_out += self._outputs.commit()
            except InputError:
                self._outputs.discard()
                raise
        self._outputs.discard()

    def discard(self) -> None:
        if self._outputs is not None:
            self._outputs.discard()


class FileSink(Sink):
    """One output for all inputs, and beside a stacked npy the names of its rows."""

    def __init__(self, destination: Destination, style: WriteStyle, alone: bool) -> None:
        assert destination.format is not None
        self._destination = destination
        self._outputs = _Outputs(destination.format, style)
        self._alone = alone
        self._names = RowNames() if destination.format.name == "npy" else None
        self._paths = destination.outputs_of_file()

    def begin(self, file: InputFile, surroundings: Surroundings | None) -> None:
        self._outputs.begin(file, surroundings)

    def add(self, result: Result) -> str:
        path = self._path_of(result)
        self._outputs.add(path, result)
        if self._names is not None and path == self._paths[0]:
            self._names.add(result)
        return path

    def end(self, failed: bool) -> None:
        self._outputs.end()

    def add_together(self, alike: Alike) -> list[str] | None:
        if self._names is None:
            return None
        # Files that are alike are like the maps of a batch to an array of rows. All poolings give
        # rows of one shape: if those of the first are refused, nothing was taken.
        paths = [self._path_of(result) for result in alike.results]
        try:
            for path, result in zip(paths, alike.results, strict=True):
                self._outputs.add(path, result)
        except InputError:
            return None
        self._names.add_together(alike)
        return paths

    def _path_of(self, result: Result) -> str:
        if not self._several_paths():
            return self._paths[0]
        return self._paths[self._destination.poolings.index(result.pooling.label)]

    @held()
    def finish(self, failed: bool) -> None:
        if failed and self._alone:
            self.discard()
            return
        self.bytes_out += self._outputs.commit()
        if self._names is not None:
            if self._names.results > 1 or (self._names.results and not self._alone):
                self.bytes_out += self._names.write(self._destination.row_names_path())
            self._names.close()

    @held()
    def discard(self) -> None:
        self._outputs.discard()
        if self._names is not None:
            self._names.close()

    def _several_paths(self) -> bool:
        return len(self._paths) > (2 if self._names is not None else 1)


class StdoutSink(Sink):
    """Results on standard output: at once where the format streams, else when all are there."""

    def __init__(self, destination: Destination, style: WriteStyle) -> None:
        assert destination.format is not None
        make = load_writer(destination.format)
        self._at_once = make.streams and not (style.stack and not destination.format.text)
        self._file = sys.stdout.buffer if self._at_once else _temporary_file()
        self._writer = make(self._file, style)
        self._any = False

    def begin(self, file: InputFile, surroundings: Surroundings | None) -> None:
        self._writer.begin(file, surroundings)

    def add(self, result: Result) -> str:
        with _pipe_errors():
            self._writer.add(result)
            if self._at_once:
                self._file.flush()
        self._any = True
        return "-"

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


def make_sink(
    destination: Destination, style: WriteStyle, alone: bool, planned: Mapping[str, str]
) -> Sink:
    """The sink of a destination.

    Args:
        destination: Where results go.
        style: How they are written.
        alone: The only input is one file that the user named.
        planned: The outputs that the plan knows, in a directory, and the input of each.
    """
    if destination.kind == "directory":
        return DirectorySink(destination, style, planned)
    if destination.kind == "file":
        return FileSink(destination, style, alone)
    if destination.kind == "stdout":
        return StdoutSink(destination, style)
    return NoSink()
