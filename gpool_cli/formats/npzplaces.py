"""An npz archive that is written member by member, or several members in turns.

How long a member is follows from its shape and dtype, so that it has its place before its values
come. zipfile writes one member after the other, and works out checksums at the speed of zlib.
"""

from __future__ import annotations

import zipfile
from typing import BinaryIO

import numpy as np

from gpool_cli.formats.interface import Array
from gpool_cli.formats.npystream import header_of
from gpool_cli.formats.npzmember import crc32
from gpool_cli.layout import size_of

# Who may read the member when it is unpacked: its owner, as zipfile has it.
_MODE = 0o600 << 16


class Places(zipfile.ZipFile):
    """Gives members of an archive their places; closing it writes the list of them.

    Args:
        file: Where to; seekable, and not closed.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, "w")
        self._file = file

    def has(self, name: str) -> bool:
        """Whether there is a member of this name."""
        return name in self.NameToInfo

    def place(self, name: str, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Member:
        """Make room for an array behind what is there.

        Args:
            name: The member's name; there is none of it yet.
            shape: The array's shape.
            dtype: Its dtype.
        """
        header = header_of(shape, dtype)
        # Dated as zip dates begin: equal data give equal bytes.
        info = zipfile.ZipInfo(name)
        info.external_attr = _MODE
        info.file_size = info.compress_size = len(header) + size_of(shape) * dtype.itemsize
        info.CRC = 0
        info.header_offset = self.start_dir
        self.filelist.append(info)
        self.NameToInfo[name] = info
        member = Member(self._file, info)
        self.start_dir = member.place + info.file_size
        member.write(header)
        return member


class Member:
    """The place of an array in an archive, written from its beginning to its end.

    Attributes:
        place: Where the next byte goes.
    """

    def __init__(self, file: BinaryIO, info: zipfile.ZipInfo) -> None:
        self._file, self._info = file, info
        self.place = info.header_offset + len(info.FileHeader(zip64=True))

    def write_values(self, values: Array) -> None:
        """Write the next values of the array, in C order."""
        if values.size:
            self.write(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)

    def write(self, data: bytes | memoryview) -> None:
        self._file.seek(self.place)
        self._file.write(data)
        self.place += len(data)
        self._info.CRC = crc32(data, self._info.CRC)

    def finish(self) -> None:
        """Write what stands before the values, now that their checksum is known."""
        self._file.seek(self._info.header_offset)
        self._file.write(self._info.FileHeader(zip64=True))
