"""jsonl: one JSON object per map and pooling, one a line."""

from __future__ import annotations

from gpool_cli.formats.interface import Writer
from gpool_cli.formats.jsonobjects import objects_of
from gpool_cli.model import Result


class JsonlWriter(Writer):
    """Writes a line per map; maps of any number of channels go together."""

    streams = True

    def add(self, result: Result) -> None:
        for line in objects_of(result):
            self.file.write(line + b"\n")

    def finish(self) -> None:
        """Every line is written."""
