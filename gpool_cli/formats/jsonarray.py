"""json: one array of JSON objects, one per map and pooling."""

from __future__ import annotations

from typing import BinaryIO

from gpool_cli.formats.interface import Writer, WriteStyle
from gpool_cli.formats.jsonobjects import objects_of
from gpool_cli.model import Result


class JsonWriter(Writer):
    """Writes an array with a line per map; maps of any number of channels go together."""

    streams = True

    def __init__(self, file: BinaryIO, style: WriteStyle) -> None:
        super().__init__(file, style)
        self._any = False

    def add(self, result: Result) -> None:
        for line in objects_of(result):
            self.file.write((b",\n" if self._any else b"[\n") + line)
            self._any = True

    def finish(self) -> None:
        self.file.write(b"\n]\n" if self._any else b"[]\n")
