"""Arrays that lie in one piece at a known place of a file, and a reader of formats that are such.

What such a format has of its own is where its arrays are.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from gpool_cli.access import DEFAULT_ACCESS, Access
from gpool_cli.errors import InputError
from gpool_cli.formats.files import open_regular, size_of_file, will_read
from gpool_cli.formats.interface import Array, Reader, cut_parts
from gpool_cli.formats.narrow import stored_bytes
from gpool_cli.formats.npystream import read_values
from gpool_cli.model import ArrayInfo, Block, Part

Places = Mapping[str, tuple[ArrayInfo, int]]
"""Arrays by their names, each with the place where its values begin."""


class FlatFile:
    """A file of which pieces are read, none of them past its end.

    Args:
        path: A regular file.

    Raises:
        InputError: It is none, or is empty.
    """

    def __init__(self, path: str) -> None:
        self.file: BinaryIO = open_regular(path)
        self.size = size_of_file(self.file)
        if self.size == 0:
            self.file.close()
            raise InputError("is empty", "there is no array in it")

    def read(self, start: int, count: int) -> bytes:
        """So many bytes from a place on; fewer only at the end of the file."""
        self.file.seek(start)
        parts = []
        while count and (part := self.file.read(count)):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def blocks(
        self, info: ArrayInfo, start: int, parts: Sequence[Part] | None
    ) -> Iterator[tuple[Block, Array]]:
        """The values of an array that begins at a place; the rest is as in `Reader.blocks`."""
        every = cut_parts(info)
        parts = parts if parts is not None else every
        row = stored_bytes(info) // every[-1].last
        will_read(self.file, [(start + parts[0].first * row, start + parts[-1].last * row)])
        self.file.seek(start + parts[0].first * row)
        return read_values(info, parts, self.file.readinto)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class FlatReader(Reader):
    """Reads arrays, each from its own place.

    Args:
        path: A regular file.
        access: How it is opened.
    """

    def __init__(self, path: str, access: Access = DEFAULT_ACCESS) -> None:
        super().__init__(path, access)
        self._file = FlatFile(path)
        try:
            self._places = self.find(self._file)
        except BaseException:
            self._file.close()
            raise

    @abstractmethod
    def find(self, file: FlatFile) -> Places:
        """Every array in the file, in its order.

        Raises:
            InputError: It is damaged, or no file of this format.
        """

    def arrays(self) -> Iterator[ArrayInfo]:
        return (info for info, _ in self._places.values())

    def blocks(
        self, info: ArrayInfo, parts: Sequence[Part] | None = None
    ) -> Iterator[tuple[Block, Array]]:
        return self._file.blocks(info, self._places[info.dataset][1], parts)

    def close(self) -> None:
        self._file.close()
