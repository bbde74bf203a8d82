"""Bytes that wait: in memory while they are few, then in a temporary file; or where they go."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import IO, BinaryIO

from gpool_cli.errors import OutputError

IN_MEMORY = 8 << 20
_CHUNK = 1 << 20


class Spool:
    """A file without a name, written once and then read from its beginning.

    The standard library has one too, which costs every start of the program the import of what
    it is made of.

    Args:
        in_memory: How many bytes memory bears; None for as many as are usual.
    """

    def __init__(self, in_memory: int | None = None) -> None:
        self._most = IN_MEMORY if in_memory is None else in_memory
        self._file: IO[bytes] = io.BytesIO()
        self._in_memory = True
        self._reused = bytearray()

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes.

        Raises:
            OutputError: There is no room for them.
        """
        with _temporary_errors():
            self._file.write(data)
            if self._in_memory and self._file.tell() > self._most:
                import tempfile

                in_memory, self._file = self._file, tempfile.TemporaryFile()
                self._in_memory = False
                in_memory.seek(0)
                while part := in_memory.read(_CHUNK):
                    self._file.write(part)

    def size(self) -> int:
        """How many bytes were written."""
        return self._file.tell()

    def cut(self, size: int) -> None:
        """Forget what was written behind so many bytes."""
        with _temporary_errors():
            self._file.seek(size)
            self._file.truncate()

    def rewind(self) -> None:
        """Go back to the first byte."""
        with _temporary_errors():
            self._file.seek(0)  # It writes what is still held back.

    def read(self, count: int) -> bytes:
        """The next bytes, fewer only at the end."""
        return self._file.read(count)

    def view(self, count: int) -> memoryview:
        """The next bytes, as many as are left; they are valid until the next call.

        Fresh memory for each part of a long file costs more than the reading.
        """
        if len(self._reused) < count:
            self._reused = bytearray(count)
        view = memoryview(self._reused)[:count]
        return view[: self._file.readinto(view)]  # type: ignore[attr-defined]

    def chunks(self) -> Iterator[bytes]:
        """Everything from the first byte on."""
        self.rewind()
        while part := self._file.read(_CHUNK):
            yield part

    def close(self) -> None:
        """Forget the bytes."""
        with contextlib.suppress(OSError):
            self._file.close()


class Behind:
    """Bytes in a file behind a header that is written last, as `Spool` has them by themselves.

    Args:
        file: Open for reading and writing, and not closed; nothing else uses it meanwhile.
        header: How many bytes are left out before the first.
    """

    def __init__(self, file: BinaryIO, header: int) -> None:
        self._file, self._header = file, header
        self.rewind()

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self._file.write(data)

    def size(self) -> int:
        """How many bytes were written."""
        return self._file.tell() - self._header

    def cut(self, size: int) -> None:
        """Forget what was written behind so many bytes."""
        self._file.seek(self._header + size)
        self._file.truncate()

    def rewind(self) -> None:
        """Go back to the first byte."""
        self._file.seek(self._header)

    def read(self, count: int) -> bytes:
        """The next bytes, fewer only at the end."""
        return self._file.read(count)

    def close(self) -> None:
        """The file is its owner's."""


class _temporary_errors(contextlib.AbstractContextManager[None]):  # noqa: N801 - reads as a statement
    """Say that it is the temporary file that can't be written."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise OutputError(
                f"can't write a temporary file: {error.strerror or error}",
                "make room in the directory for temporary files (TMPDIR)",
            ) from error
