"""The journal of a run: what is finished, a line each, while the run lives. It ends as manifest."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence

from gpool_cli.batch.manifest import (
    JOURNAL,
    MANIFEST,
    Entry,
    Key,
    Output,
    Parameters,
    Previous,
    Stamp,
    key_of,
    line_of,
)
from gpool_cli.formats.atomic import AtomicFile, Written, output_errors
from gpool_cli.formats.durable import sync_each
from gpool_cli.formats.inputs import stamp_at, stamp_of
from gpool_cli.model import STDIN, InputFile
from gpool_cli.stopping import held


class Journal:
    """Keeps the record of a run into a directory.

    Args:
        directory: It exists, and this run holds its lock.
        run: What the names of temporary files have in them.
        parameters: Those of this run.
        previous: What earlier runs left; what they did with other parameters is forgotten.
        done: The inputs of this run that need no work.

    Raises:
        OutputError: It can't be written.
    """

    def __init__(
        self,
        directory: str,
        run: str,
        parameters: Parameters,
        previous: Previous,
        done: Iterable[InputFile] = (),
    ) -> None:
        self.path = os.path.join(directory, JOURNAL)
        self._manifest = os.path.join(directory, MANIFEST)
        self._prefix = len(os.path.join(directory, ""))
        self._run = run
        self._parameters = parameters
        goes_on = previous.parameters == parameters
        self._earlier = previous.entries if goes_on else {}
        self._own: dict[Key, Entry] = {key_of(file): self._earlier[key_of(file)] for file in done}
        self._stamps: dict[InputFile, tuple[int, int]] = {}
        self._beside: dict[InputFile, tuple[Stamp, ...]] = {}
        kept = previous.journal_size if goes_on else 0
        head = line_of(parameters)
        self._has_entries = kept > len(head)
        with output_errors(self.path):
            self._file = open(self.path, "ab")
            try:
                self._file.truncate(kept)
                if not kept:
                    self._file.write(head)
                self._file.flush()
            except BaseException:
                self.close()
                raise

    def see(self, file: InputFile, beside: Sequence[str] = ()) -> None:
        """Look at an input before it is read: a change after that must not go unseen.

        Args:
            file: The input.
            beside: The paths of its mask and its weights map.
        """
        with contextlib.suppress(OSError, ValueError):
            if beside:
                self._beside[file] = tuple((path, *stamp_at(path)) for path in beside)
            if file.path != STDIN:
                self._stamps[file] = stamp_of(file)

    def outdated_outputs(self, file: InputFile) -> tuple[Output, ...]:
        """What earlier runs made, by the same parameters, of an input that has changed since."""
        entry, now = self._earlier.get(key_of(file)), self._stamps.get(file)
        if entry is None or now is None or entry.keys != file.keys:
            return ()
        return entry.outputs if now != (entry.size, entry.mtime_ns) else ()

    def saw(self, file: InputFile, stamp: tuple[int, int], beside: Sequence[Stamp]) -> None:
        """Take it from someone who looked at an input and what goes with it before it was read."""
        self._stamps[file] = stamp
        if beside:
            self._beside[file] = tuple(beside)

    def add(self, file: InputFile, outputs: Sequence[Written]) -> None:
        """Record that these outputs are in their places, and all that the input gives.

        Raises:
            OutputError: There is no room for it.
        """
        size, mtime_ns = self._stamps.pop(file, (None, None))
        places = (Output(one.path[self._prefix :], one.size, one.sha256) for one in outputs)
        beside = self._beside.pop(file, ())
        entry = Entry(file.path, file.name, file.keys, size, mtime_ns, tuple(places), beside)
        with output_errors(self.path):
            self._file.write(line_of(entry))
        self._has_entries = True
        if self._earlier:
            self._own[entry.key] = entry

    def flush(self) -> None:
        """Hand all lines to the system.

        Raises:
            OutputError: There is no room for them.
        """
        with output_errors(self.path):
            self._file.flush()

    @held()
    def finish(self, files: Iterable[InputFile]) -> None:
        """Turn the journal into the manifest.

        Args:
            files: The inputs of this run, in their order.

        Raises:
            OutputError: It can't be written.
        """
        self.flush()
        if self._earlier:
            self._merge(files)
        elif self._has_entries:
            # All lines are of this run, and in the order of its inputs.
            with output_errors(self._manifest):
                sync_each([self.path])
                os.replace(self.path, self._manifest)
                sync_each([os.path.dirname(self._manifest)])
        self._has_entries = False

    def _merge(self, files: Iterable[InputFile]) -> None:
        """Write the manifest: inputs that only earlier runs had, then those of this one."""
        keys = dict.fromkeys(map(key_of, files))
        output = AtomicFile(self._manifest, self._run)
        try:
            with output_errors(self._manifest):
                output.file.write(line_of(self._parameters))
                for key, entry in self._earlier.items():
                    if key not in keys:
                        output.file.write(line_of(entry))
                for key in keys:
                    if key in self._own:
                        output.file.write(line_of(self._own[key]))
        except BaseException:
            output.discard()
            raise
        output.commit()

    @held()
    def close(self) -> None:
        """Leave the journal of a run that was cut short, if it has any entry."""
        with contextlib.suppress(OSError):
            self._file.close()
        if not self._has_entries:
            with contextlib.suppress(OSError):
                os.unlink(self.path)
