"""Results in one file that all inputs share."""

from __future__ import annotations

from gpool_cli.batch.destination import Destination
from gpool_cli.batch.sinks.interface import Sink
from gpool_cli.batch.sinks.outputs import Outputs
from gpool_cli.batch.stopping import held
from gpool_cli.errors import InputError
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.formats.rownames import RowNames
from gpool_cli.model import Alike, InputFile, Result


class FileSink(Sink):
    """One output for all inputs, and beside a stacked npy the names of its rows."""

    def __init__(self, destination: Destination, style: WriteStyle, alone: bool) -> None:
        assert destination.format is not None
        self._destination = destination
        self._outputs = Outputs(destination.format, style)
        self._alone = alone
        self._names = RowNames() if destination.format.name == "npy" else None
        self._paths = destination.outputs_of_file()

    def begin(self, file: InputFile) -> None:
        self._outputs.begin(file)

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
