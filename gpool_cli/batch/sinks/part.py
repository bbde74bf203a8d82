"""Everything that a shard finds out, in one part, for a merge to put where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpool_cli.batch.part import Head, PartWriter
from gpool_cli.batch.sinks.interface import Sink
from gpool_cli.formats.atomic import put_in_place
from gpool_cli.model import Alike, Failed, FileDone, InputFile, Opened, Result, Skipped, Warned
from gpool_cli.stopping import held

if TYPE_CHECKING:
    from gpool_cli.surroundings import Surroundings


class PartSink(Sink):
    """Records outcomes as they come. What can't stand in the output is refused by the merge.

    Args:
        path: Where the part goes.
        head: Its beginning.

    Attributes:
        head: The same.
    """

    def __init__(self, path: str, head: Head) -> None:
        self.head = head
        self._path = path
        self._part = PartWriter(path, head)
        self._file: InputFile | None = None

    @held()
    def begin(self, file: InputFile) -> None:
        self._file = file

    @held()
    def surround(self, surroundings: Surroundings) -> None:
        assert self._file is not None
        self._part.add(Opened(self._file, surroundings))

    @held()
    def add(self, result: Result) -> str:
        self._part.add(result)
        return self._path

    @held()
    def add_together(self, alike: Alike) -> list[str] | None:
        self._part.add(alike)
        return [self._path] * len(alike.results)

    @held()
    def hear(self, said: Skipped | Warned | Failed) -> None:
        self._part.add(said)

    @held()
    def end(self, failed: bool) -> None:
        assert self._file is not None
        self._part.add(FileDone(self._file))

    @held()
    def finish(self, failed: bool) -> None:
        written = self._part.complete()
        put_in_place([written])
        self.bytes_out = written.size

    @held()
    def discard(self) -> None:
        self._part.discard()
