"""Finished outputs that wait for the disk: they are brought there, and get their names, together.

A flush of the disk costs milliseconds, whether it is for one file or for hundreds. Nothing has its
name before it is on the disk; what is lost with the process or the power is what waits here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from gpool_cli.batch.journal import Journal
from gpool_cli.formats.atomic import (
    Written,
    make_durable,
    output_errors,
    sync_directories,
)
from gpool_cli.formats.durable import Disk
from gpool_cli.model import InputFile
from gpool_cli.stopping import held

_MOST_FILES = 256
_MOST_BYTES = 64 << 20
_MOST_SECONDS = 1.0


class Waiting:
    """Collects the outputs of one input after the other.

    Args:
        directory: Where they go.
        journal: Where it is recorded that they are there.

    Attributes:
        bytes_out: Bytes of the outputs that are in their places.
    """

    def __init__(self, directory: str, journal: Journal) -> None:
        self.bytes_out = 0
        self._journal = journal
        self._inputs: list[tuple[InputFile, Sequence[Written]]] = []
        self._files: list[Written] = []
        self._bytes = 0
        self._since = time.monotonic()
        with output_errors(directory):
            self._disk = Disk(directory)

    def add(self, file: InputFile, outputs: Sequence[Written]) -> None:
        """Take all outputs of an input.

        Raises:
            OutputError: It was time to put them in their places, and that can't be done.
        """
        self._inputs.append((file, outputs))
        self._files += outputs
        self._bytes += sum(one.size for one in outputs)
        if len(self._files) >= _MOST_FILES or self._bytes >= _MOST_BYTES:
            self.settle()
        else:
            self.settle_if_due()

    def settle_if_due(self) -> None:
        """Put outputs in their places if they have waited long enough.

        Raises:
            OutputError: It can't be done.
        """
        if time.monotonic() - self._since >= _MOST_SECONDS:
            self.settle()

    @held()
    def settle(self) -> None:
        """Put all that waits in its place, and record it. What can't be put there is gone.

        Raises:
            OutputError: It can't be done.
        """
        inputs, files = self._inputs, self._files
        self._inputs, self._files, self._bytes = [], [], 0
        self._since = time.monotonic()
        if not files:
            return
        try:
            make_durable(files, self._disk.sync)
            self._put_in_place(inputs)
            sync_directories(files, self._disk.sync, also=[self._journal.path])
        finally:
            for one in files:
                one.discard()

    def _put_in_place(self, inputs: Sequence[tuple[InputFile, Sequence[Written]]]) -> None:
        try:
            for file, outputs in inputs:
                for one in outputs:
                    one.put_in_place()
                    self.bytes_out += one.size
                self._journal.add(file, outputs)
        finally:
            self._journal.flush()

    def close(self) -> None:
        """Let go of the disk."""
        self._disk.close()
