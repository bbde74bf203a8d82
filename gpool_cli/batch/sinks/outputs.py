"""Open outputs by path, each with its writer."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from gpool_cli.formats import Row, load_writer
from gpool_cli.formats.atomic import AtomicFile, Written, output_errors
from gpool_cli.formats.durable import begin_writing
from gpool_cli.formats.interface import Writer, WriteStyle
from gpool_cli.model import Failed, InputFile, Result, Skipped, Warned
from gpool_cli.stopping import held

if TYPE_CHECKING:
    from gpool_cli.surroundings import Surroundings


# How often the disk is asked to begin, in seconds.
_BEGIN_EVERY = 0.25


def takes_turns(row: Row, style: WriteStyle, one_each: bool) -> bool:
    """Whether the pieces of several results of one map may come in turns.

    Args:
        row: The format of the outputs.
        style: How they are written.
        one_each: The results of each pooling have an output of their own.
    """
    return one_each or not style.several_poolings or load_writer(row).in_turns


class Outputs:
    """Open outputs by path, each with its writer.

    Args:
        row: Their format.
        style: How they are written.
        run: What the names of their temporary files have in them; '' where they need no checksum.
        one_each: Every result has an output of its own, which is complete with it. There may be
            more of them than files that a process may have open.
    """

    def __init__(self, row: Row, style: WriteStyle, run: str = "", one_each: bool = False) -> None:
        self._make = load_writer(row)
        self._style = style
        self._run = run
        self._one_each = one_each
        self._written: list[Written] = []
        self._surroundings: Surroundings | None = None
        self._open: dict[str, tuple[AtomicFile, Writer]] = {}
        self._began = time.monotonic()

    @held()
    def add(self, path: str, result: Result) -> None:
        if path not in self._open:
            file = AtomicFile(path, self._run)
            try:
                with output_errors(path):
                    self._open[path] = file, self._make(file.file, self._style)
            except BaseException:
                file.discard()
                raise
            with output_errors(path):
                self._open[path][1].begin(result.file)
                if self._surroundings is not None:
                    self._open[path][1].surround(self._surroundings)
        with output_errors(path):
            self._open[path][1].add(result)
        if self._one_each and result.is_last:
            self._complete(path)

    def begin_writing(self) -> None:
        """Have the disk begin with what it was given, so that there is less to wait for."""
        now = time.monotonic()
        if now - self._began >= _BEGIN_EVERY:
            self._began = now
            for file, _ in self._open.values():
                begin_writing(file.file.fileno())

    def hear(self, said: Skipped | Warned | Failed) -> None:
        """Keep nothing of an input that fails: the outputs of its next maps may be many."""
        if isinstance(said, Failed):
            self.discard()

    @held()
    def withdraw(self, path: str) -> None:
        """Take back what was added last to an output."""
        self._open[path][1].withdraw()

    @held()
    def begin(self, file: InputFile) -> None:
        self._surroundings = None
        for path, (_, writer) in self._open.items():
            with output_errors(path):
                writer.begin(file)

    @held()
    def surround(self, surroundings: Surroundings) -> None:
        before = self._surroundings
        self._surroundings = before.and_more(surroundings) if before else surroundings
        for path, (_, writer) in self._open.items():
            with output_errors(path):
                writer.surround(surroundings)

    @held()
    def end(self) -> None:
        for path, (_, writer) in self._open.items():
            with output_errors(path):
                writer.end()

    @held()
    def complete(self) -> list[Written]:
        """End all outputs: they are complete, and have not their names yet."""
        for path in list(self._open):
            self._complete(path)
        written, self._written = self._written, []
        return written

    def _complete(self, path: str) -> None:
        file, writer = self._open[path]
        with output_errors(path):
            writer.finish()
        self._written.append(file.complete(checksum=bool(self._run)))
        del self._open[path]

    @held()
    def discard(self) -> None:
        for file, writer in self._open.values():
            # It may fail for the reason that the output is thrown away for.
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                writer.abandon()
            file.discard()
        for written in self._written:
            written.discard()
        self._open, self._written = {}, []
