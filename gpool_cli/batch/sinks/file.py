"""Results in one file that all inputs share."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpool_cli.batch.destination import Destination
from gpool_cli.batch.sinks.interface import Sink
from gpool_cli.batch.sinks.outputs import Outputs, takes_turns
from gpool_cli.errors import InputError
from gpool_cli.formats.atomic import Written, output_errors, put_in_place
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.formats.rownames import RowNames
from gpool_cli.model import Alike, InputFile, Result
from gpool_cli.stopping import held

if TYPE_CHECKING:
    from gpool_cli.surroundings import Surroundings


class FileSink(Sink):
    """One output for all inputs, and beside a stacked npy the names of its rows."""

    def __init__(self, destination: Destination, style: WriteStyle, alone: bool) -> None:
        assert destination.format is not None
        self._destination = destination
        self._outputs = Outputs(destination.format, style)
        self._alone = self.drops_failed = alone
        self._names = RowNames() if destination.format.name == "npy" else None
        self._paths = destination.outputs_of_file()
        self._takes_turns = takes_turns(destination.format, style, self._several_paths())
        count = len(destination.poolings) if self._several_paths() else 1
        self._last_path = self._paths[count - 1]
        self._taken: list[str] = []

    def in_turns(self, file: InputFile) -> bool:
        # A map that fails is taken back with the whole output.
        return self._alone and self._takes_turns

    def begin(self, file: InputFile) -> None:
        self._outputs.begin(file)

    def surround(self, surroundings: Surroundings) -> None:
        self._outputs.surround(surroundings)

    def add(self, result: Result) -> str:
        path = self._path_of(result)
        if result.first and result.start == 0:
            self._taken = []
        try:
            self._outputs.add(path, result)
        except InputError:
            self._withdraw()
            raise
        if path not in self._taken:
            self._taken.append(path)
        # A map has its rows when the last of its poolings was taken.
        if self._names is not None and path == self._last_path:
            self._names.add(result)
        return path

    def _withdraw(self) -> None:
        """Take back the rows of a map that one of its poolings was refused for."""
        if self._names is not None:
            for path in self._taken:
                self._outputs.withdraw(path)
        self._taken = []

    def end(self, failed: bool) -> None:
        self._outputs.end()

    def add_together(self, alike: Alike) -> list[str] | None:
        if self._names is None:
            return None
        # Files that are alike are like the maps of a batch to an array of rows.
        paths = [self._path_of(result) for result in alike.results]
        self._taken = []
        try:
            for path, result in zip(paths, alike.results, strict=True):
                self._outputs.add(path, result)
                self._taken.append(path)
        except InputError:
            self._withdraw()
            return None
        self._names.add_together(alike)
        return paths

    def _path_of(self, result: Result) -> str:
        if not self._several_paths():
            return self._paths[0]
        return self._paths[self._destination.poolings.index(result.pooling.label)]

    def look_at_the_clock(self) -> None:
        self._outputs.begin_writing()

    @held()
    def finish(self, failed: bool) -> None:
        if failed and self._alone:
            self.discard()
            return
        written = self._outputs.complete()
        if not written:
            self.discard()
            return
        if self._has_row_names:
            written.append(self._complete_names(written))
        put_in_place(written)
        self.bytes_out += sum(one.size for one in written)
        if self._names is not None:
            self._names.close()
            if not self._has_row_names:
                self._remove_stale_names()

    @property
    def _has_row_names(self) -> bool:
        names = self._names
        return names is not None and (names.results > 1 or not self._alone)

    def _complete_names(self, written: Sequence[Written]) -> Written:
        assert self._names is not None
        try:
            return self._names.write(self._destination.row_names_path())
        except BaseException:
            for one in written:
                one.discard()
            raise

    def _remove_stale_names(self) -> None:
        """Remove the names of other rows than those that are there now."""
        path = self._destination.row_names_path()
        with output_errors(path), contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    @held()
    def discard(self) -> None:
        self._outputs.discard()
        if self._names is not None:
            self._names.close()

    def _several_paths(self) -> bool:
        return len(self._paths) > (2 if self._names is not None else 1)
