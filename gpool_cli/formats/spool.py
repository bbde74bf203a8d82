"""Bytes that wait to be copied: in memory while they are few, then in a temporary file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO

_IN_MEMORY = 8 << 20
_CHUNK = 1 << 20


class Spool:
    """A file without a name, written once and then read from its beginning.

    The standard library has one too, which costs every start of the program the import of what
    it is made of.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = io.BytesIO()
        self._in_memory = True

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self._file.write(data)
        if self._in_memory and self._file.tell() > _IN_MEMORY:
            import tempfile

            in_memory, self._file = self._file, tempfile.TemporaryFile()
            self._in_memory = False
            in_memory.seek(0)
            while part := in_memory.read(_CHUNK):
                self._file.write(part)

    def rewind(self) -> None:
        """Go back to the first byte."""
        self._file.seek(0)

    def read(self, count: int) -> bytes:
        """The next bytes, fewer only at the end."""
        return self._file.read(count)

    def chunks(self) -> Iterator[bytes]:
        """Everything from the first byte on."""
        self.rewind()
        while part := self._file.read(_CHUNK):
            yield part

    def close(self) -> None:
        """Forget the bytes."""
        self._file.close()
