"""Results in an object store: written here first, and put there whole."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING

from gpool_cli.batch.destination import Destination
from gpool_cli.batch.sinks.file import FileSink
from gpool_cli.batch.sinks.interface import Sink
from gpool_cli.batch.sinks.outputs import Outputs, takes_turns
from gpool_cli.batch.sinks.unplanned import already_there, may_be_unplanned
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import Alike, Failed, InputFile, Result, Skipped, Warned
from gpool_cli.remote.uploads import Uploads, is_there
from gpool_cli.stopping import held

if TYPE_CHECKING:
    from gpool_cli.surroundings import Surroundings


class FarFileSink(Sink):
    """One object for all inputs, and beside a stacked npy the names of its rows."""

    def __init__(self, destination: Destination, style: WriteStyle, alone: bool) -> None:
        self._staging = tempfile.TemporaryDirectory(prefix="gpool-")
        self._above, _, name = destination.path.rpartition("/")
        here = replace(destination, path=os.path.join(self._staging.name, name))
        self._inner = FileSink(here, style, alone)
        self._paths = here.outputs_of_file()
        self.drops_failed = self._inner.drops_failed

    def in_turns(self, file: InputFile) -> bool:
        return self._inner.in_turns(file)

    def begin(self, file: InputFile) -> None:
        self._inner.begin(file)

    def surround(self, surroundings: Surroundings) -> None:
        self._inner.surround(surroundings)

    def add(self, result: Result) -> str:
        return self._url_of(self._inner.add(result))

    def add_together(self, alike: Alike) -> list[str] | None:
        paths = self._inner.add_together(alike)
        return [self._url_of(path) for path in paths] if paths is not None else None

    def _url_of(self, path: str) -> str:
        return f"{self._above}/{os.path.basename(path)}"

    def end(self, failed: bool) -> None:
        self._inner.end(failed)

    @held()
    def finish(self, failed: bool) -> None:
        self._inner.finish(failed)
        uploads = Uploads()
        for path in filter(os.path.exists, self._paths):
            uploads.put(path, self._url_of(path))
        uploads.settle()
        self.bytes_out = self._inner.bytes_out

    def discard(self) -> None:
        self._inner.discard()

    def close(self) -> None:
        self._inner.close()
        self._staging.cleanup()


class FarDirectorySink(Sink):
    """Objects of their own for every input, below a prefix; an input that fails leaves none.

    There is no lock, no manifest and no journal: a store has nothing that only one run can hold.
    """

    drops_failed = True

    def __init__(self, destination: Destination, style: WriteStyle) -> None:
        self._staging = tempfile.TemporaryDirectory(prefix="gpool-")
        self._destination, self._style = destination, style
        self._uploads = Uploads()
        self._outputs: Outputs | None = None
        self._urls: dict[str, str] = {}
        self._taken: dict[str, tuple[str, str]] = {}

    def in_turns(self, file: InputFile) -> bool:
        row, each = self._destination.format_for(file), self._destination.one_each(file)
        return takes_turns(row, self._style, each)

    def begin(self, file: InputFile) -> None:
        each = self._destination.one_each(file)
        row = self._destination.format_for(file)
        self._outputs = Outputs(row, self._style, one_each=each)
        self._outputs.begin(file)

    def surround(self, surroundings: Surroundings) -> None:
        assert self._outputs is not None
        self._outputs.surround(surroundings)

    def add(self, result: Result) -> str:
        assert self._outputs is not None
        url = self._destination.output_of(result)
        path = self._path_of(url, result.file)
        if may_be_unplanned(result):
            self._check_unplanned(url)
        self._outputs.add(path, result)
        self._urls[path] = url
        return url

    def _path_of(self, url: str, file: InputFile) -> str:
        """Where an object is written before it is put there; it is of one input only."""
        path = os.path.join(self._staging.name, str(len(self._taken)))
        owner, path = self._taken.setdefault(url, (file.path, path))
        if owner != file.path:
            raise already_there(url)
        return path

    def _check_unplanned(self, url: str) -> None:
        """Refuse to replace what the plan did not know of."""
        if not self._destination.may_replace and is_there(url):
            raise already_there(url)

    def hear(self, said: Skipped | Warned | Failed) -> None:
        if self._outputs is not None:
            self._outputs.hear(said)

    @held()
    def end(self, failed: bool) -> None:
        assert self._outputs is not None
        try:
            if not failed:
                self._outputs.end()
                for one in self._outputs.complete():
                    self._uploads.put(one.temporary, self._urls[one.path])
                    self.bytes_out += one.size
        finally:
            self._outputs.discard()

    @held()
    def finish(self, failed: bool) -> None:
        self._uploads.settle()

    @held()
    def discard(self) -> None:
        if self._outputs is not None:
            self._outputs.discard()
        self._uploads.settle()

    def close(self) -> None:
        self._staging.cleanup()
