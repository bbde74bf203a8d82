"""npy: one array, or several one after the other, in a file or on a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from gpool_cli.access import DEFAULT_ACCESS, Access
from gpool_cli.errors import InputError
from gpool_cli.formats.files import open_regular, size_of_file, will_read
from gpool_cli.formats.interface import Array, Reader, Writer, WriteStyle, cut_parts
from gpool_cli.formats.narrow import stored_bytes
from gpool_cli.formats.npyheader import NpyHeader, read_header
from gpool_cli.formats.npyinfo import describe
from gpool_cli.formats.npystream import USUAL_HEADER, header_of, read_values, write_values
from gpool_cli.formats.rows import RowSpool
from gpool_cli.formats.spool import Behind, Spool
from gpool_cli.layout import shape_text
from gpool_cli.model import STDIN, ArrayInfo, Block, Part, Result


class NpyReader(Reader):
    """Reads the arrays of a file or a pipe in the order in which they lie.

    In a file, any array that was listed can be read; in a pipe, only the last one.

    Args:
        path: A regular file, or ``-`` for standard input.
    """

    def __init__(self, path: str, access: Access = DEFAULT_ACCESS) -> None:
        super().__init__(path, access)
        self._piped = path == STDIN
        self._file: BinaryIO = sys.stdin.buffer if self._piped else open_regular(path)
        self._size = None if self._piped else size_of_file(self._file)
        self._place = 0
        self._short = False
        self._listed: dict[str, int] = {}

    def arrays(self) -> Iterator[ArrayInfo]:
        number = 0
        while (header := self._header(number)) is not None:
            dataset = "" if number == 0 else str(number)
            info = describe(header, dataset, self.access.view)
            if not info.refusal:
                self._check_size(header)
            start = self._place
            self._listed[dataset] = start
            yield info
            if info.refusal or self._short:
                return
            number += 1
            if start + header.nbytes == self._size:
                return
            self._go_to(start + header.nbytes)
        if number == 0:
            raise InputError("is empty", "there is no array in it")

    def blocks(
        self, info: ArrayInfo, parts: Sequence[Part] | None = None
    ) -> Iterator[tuple[Block, Array]]:
        every = cut_parts(info)
        parts = parts if parts is not None else every
        row = stored_bytes(info) // every[-1].last
        start = self._start_of(info.dataset)
        if not self._piped:
            will_read(self._file, [(start + parts[0].first * row, start + parts[-1].last * row)])
        self._go_to(start + parts[0].first * row)
        return read_values(info, parts, self._readinto)

    def _start_of(self, dataset: str) -> int:
        """Where the values of an array begin; a file is listed for it if it was not yet."""
        if dataset not in self._listed:
            for _ in self.arrays():
                pass
        return self._listed[dataset]

    def close(self) -> None:
        if not self._piped:
            self._file.close()

    def _header(self, number: int) -> NpyHeader | None:
        try:
            return read_header(self._read, self._piped)
        except InputError as error:
            if number == 0:
                raise
            arrays = "1 array" if number == 1 else f"{number} arrays"
            raise InputError(f"is good for {arrays}, then {error.message}", error.hint) from None

    def _check_size(self, header: NpyHeader) -> None:
        """Believe a header only as far as the file goes."""
        if self._size is None or self._place + header.nbytes <= self._size:
            return
        raise InputError(
            f"is truncated: {shape_text(header.shape)} {header.dtype.name} takes "
            f"{header.nbytes} bytes, {self._size - self._place} are there",
            "copy or save the file again",
        )

    def _go_to(self, place: int) -> None:
        if not self._piped:
            self._file.seek(place)
            self._place = place
        while self._place < place:
            if not self._read(min(place - self._place, 1 << 20)):
                raise InputError("ends inside an array", "was the program before it interrupted?")

    def _read(self, count: int) -> bytes:
        parts = []
        while count and (part := self._file.read(count)):
            parts.append(part)
            count -= len(part)
            self._place += len(part)
        return b"".join(parts)

    def _readinto(self, buffer: memoryview) -> int:
        count = int(self._file.readinto(buffer))  # type: ignore[attr-defined]
        self._place += count
        self._short = not count  # Who reads is told, once.
        return count


class NpyWriter(Writer):
    """Writes one array per result, one after the other, or stacks all into one."""

    streams = True

    def __init__(self, file: BinaryIO, style: WriteStyle) -> None:
        super().__init__(file, style)
        self._rows = RowSpool(Behind(file, USUAL_HEADER)) if style.stack else None

    def add(self, result: Result) -> None:
        if self._rows is not None:
            self._rows.add(result)
        else:
            if result.start == 0:
                self.file.write(header_of(result.shape, result.values.dtype))
            write_values(self.file, result.values)

    def withdraw(self) -> None:
        if self._rows is not None:
            self._rows.withdraw()

    def finish(self) -> None:
        if self._rows is None:
            return
        header = header_of(self._rows.shape(self.style.batched), self._rows.dtype)
        if len(header) == USUAL_HEADER and self._rows.as_written(self.style.batched):
            self.file.seek(0)
            self.file.write(header)
        else:
            self._write_anew(header)

    def _write_anew(self, header: bytes) -> None:
        """Write rows that are not what they were when they came, or not where they should be."""
        spool = Spool()
        assert self._rows is not None
        for rows in self._rows.chunks(self.style.batched):
            spool.write(rows.data)
        self.file.seek(0)
        self.file.truncate()
        self.file.write(header)
        for chunk in spool.chunks():
            self.file.write(chunk)
        spool.close()
