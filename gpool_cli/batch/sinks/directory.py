"""Results in a directory: outputs of their own for every input."""

from __future__ import annotations

import os
from collections.abc import Mapping

from gpool_cli.batch.destination import Destination
from gpool_cli.batch.sinks.interface import Sink
from gpool_cli.batch.sinks.outputs import Outputs
from gpool_cli.errors import InputError
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import InputFile, Result
from gpool_cli.printable import printable


class DirectorySink(Sink):
    """Outputs of their own for every input; an input that fails leaves none."""

    def __init__(
        self, destination: Destination, style: WriteStyle, planned: Mapping[str, str]
    ) -> None:
        self._destination = destination
        self._style = style
        self._planned = planned
        self._unplanned: set[str] = set()
        self._outputs: Outputs | None = None

    def begin(self, file: InputFile) -> None:
        self._outputs = Outputs(self._destination.format_for(file), self._style)

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
