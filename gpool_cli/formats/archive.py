"""A zip archive that is opened with bounded memory, whatever it says of its members."""

from __future__ import annotations

import zipfile
from typing import BinaryIO

from gpool_cli.access import Access
from gpool_cli.errors import InputError
from gpool_cli.quantities import bytes_text

# What zipfile knows of a member takes some ten times the bytes that the archive lists it in.
_SWELLS = 16
_LEAST = 1 << 20


def open_archive(file: BinaryIO, access: Access) -> zipfile.ZipFile:
    """Open an archive for reading.

    Args:
        file: An open file, which closing the archive does not close.
        access: The list of its members must fit into this memory.

    Raises:
        InputError: It does not.
        zipfile.BadZipFile: It is none, or damaged.
    """
    archive = zipfile.ZipFile(_Listed(file, max(_LEAST, access.max_memory // _SWELLS)))
    # Only the list is read through the bound.
    archive.fp = file
    return archive


class _Listed:
    """A file of which zipfile reads the list of members, in one piece.

    Args:
        file: The file.
        most: What may be read at one time, in bytes.
    """

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file, self._most = file, most
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, count: int = -1) -> bytes:
        """As of a file; without a count zipfile asks for no more than its last bytes."""
        if count > self._most:
            raise InputError(
                f"lists its members in {bytes_text(count)}, which are too many",
                "give more to --max-memory, or write smaller files",
            )
        return self._file.read(count)
