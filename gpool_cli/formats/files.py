"""Files as readers open them: regular ones alone, and what is behind a URL like them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import BinaryIO, cast

from gpool_cli.errors import InputError
from gpool_cli.remote import is_url


def open_regular(path: str) -> BinaryIO:
    """Open a regular file for reading, unbuffered; nothing else is even waited for.

    A URL gives a file too, which is read over the network.

    Raises:
        InputError: It is a directory, a device, a FIFO or a socket; or a URL that gives nothing.
        OSError: It can't be opened.
    """
    if is_url(path):
        from gpool_cli.remote.file import open_url

        return cast(BinaryIO, open_url(path))
    # Without O_NONBLOCK, opening a FIFO waits for its writer; files know no difference.
    file = open(path, "rb", buffering=0, opener=_open_at_once)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise InputError("is not a regular file", "only files are read, and a pipe given as -")
    return file


def size_of_file(file: BinaryIO) -> int:
    """The bytes of an open file that can be sought in; it is at its beginning then."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def will_read(file: BinaryIO, ranges: Iterable[tuple[int, int]]) -> None:
    """Say what will be read of a file: from the first byte to before the last, in this order.

    What is far away is then fetched before its time.
    """
    announce = getattr(file, "will_read", None)
    if announce is not None:
        announce(ranges)


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
