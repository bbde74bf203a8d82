"""Results in a directory: outputs of their own for every input."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from gpool_cli.batch.destination import Destination
from gpool_cli.batch.record import Record
from gpool_cli.batch.resume import is_whole
from gpool_cli.batch.sinks.interface import Sink
from gpool_cli.batch.sinks.outputs import Outputs, takes_turns
from gpool_cli.batch.sinks.unplanned import already_there, may_be_unplanned
from gpool_cli.batch.waiting import Waiting
from gpool_cli.errors import InputError
from gpool_cli.formats.atomic import Written
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import Failed, InputFile, Result, Skipped, Warned
from gpool_cli.stopping import held

if TYPE_CHECKING:
    from gpool_cli.surroundings import Surroundings


class DirectorySink(Sink):
    """Outputs of their own for every input; an input that fails leaves none.

    Args:
        destination: Where they go.
        style: How they are written.
        record: The directory, held for this run, with the plan and what is on record there.
    """

    drops_failed = True

    def __init__(self, destination: Destination, style: WriteStyle, record: Record) -> None:
        self._destination = destination
        self._style = style
        self._record = record
        self._planned = {path: one.file.path for one in record.planned for path in one.outputs}
        self._waiting = Waiting(destination.path, record.journal)
        self._unplanned: set[str] = set()
        self._file: InputFile | None = None
        self._outputs: Outputs | None = None

    def in_turns(self, file: InputFile) -> bool:
        row, each = self._destination.format_for(file), self._destination.one_each(file)
        return takes_turns(row, self._style, each)

    def begin(self, file: InputFile) -> None:
        self._file = file
        self._outputs = Outputs(
            self._destination.format_for(file),
            self._style,
            self._record.run,
            self._destination.one_each(file),
        )
        self._outputs.begin(file)

    def surround(self, surroundings: Surroundings) -> None:
        assert self._outputs is not None
        self._outputs.surround(surroundings)

    def add(self, result: Result) -> str:
        assert self._outputs is not None
        path = self._destination.output_of(result)
        if may_be_unplanned(result):
            self._check_unplanned(path, result.file)
        self._outputs.add(path, result)
        return path

    def _check_unplanned(self, path: str, file: InputFile) -> None:
        """Refuse to replace what the plan did not know of."""
        owner = self._planned.get(path)
        if owner == file.path:
            return
        taken = owner is not None or path in self._unplanned
        if taken or (os.path.lexists(path) and not self._destination.may_replace):
            raise already_there(path)
        self._unplanned.add(path)

    def hear(self, said: Skipped | Warned | Failed) -> None:
        if self._outputs is not None:
            self._outputs.hear(said)

    @held()
    def end(self, failed: bool) -> None:
        assert self._file is not None
        assert self._outputs is not None
        written: list[Written] = []
        if not failed:
            try:
                self._outputs.end()
                written = self._outputs.complete()
            except InputError:
                self._outputs.discard()
                raise
        self._outputs.discard()
        self._remove_outdated(self._file, {one.path for one in written})
        if written:
            self._waiting.add(self._file, written)
        self.bytes_out = self._waiting.bytes_out

    def _remove_outdated(self, file: InputFile, written: set[str]) -> None:
        """Remove what an earlier run made of an input that has changed, and this one does not.

        A directory must not look as if that were still its result. What is no more as it is on
        record is not ours, and nothing goes in a run that may not replace anything.
        """
        if not self._destination.may_replace:
            return
        for output in self._record.journal.outdated_outputs(file):
            path = os.path.join(self._destination.path, output.path)
            others = path in self._unplanned or self._planned.get(path, file.path) != file.path
            with contextlib.suppress(OSError):
                if path not in written and not others and is_whole(self._destination.path, output):
                    os.unlink(path)

    def look_at_the_clock(self) -> None:
        self._waiting.settle_if_due()
        if self._outputs is not None:
            self._outputs.begin_writing()

    @held()
    def finish(self, failed: bool) -> None:
        self._waiting.settle()
        self.bytes_out = self._waiting.bytes_out
        self._record.journal.finish(one.file for one in self._record.planned)

    @held()
    def discard(self) -> None:
        if self._outputs is not None:
            self._outputs.discard()
        self._waiting.settle()
        self.bytes_out = self._waiting.bytes_out

    def close(self) -> None:
        self._waiting.close()
