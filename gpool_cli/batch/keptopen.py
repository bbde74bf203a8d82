"""The file that parts of a map were read from last, kept open: the next parts are mostly of it.

To open an HDF5 file and find a dataset in it takes as long as to read some megabytes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from gpool_cli.access import Access
from gpool_cli.formats.interface import Reader
from gpool_cli.formats.opening import open_reader
from gpool_cli.remote import is_url

_Key = tuple[str, Access, tuple[int, ...]]

_kept: tuple[_Key, Reader] | None = None


@contextmanager
def kept_open(path: str, access: Access) -> Iterator[Reader]:
    """A reader of a file: the one that was used last, if that is of the very same file.

    After an error it is closed, and otherwise when another file is asked for, or by `let_go`.

    Args:
        path: The file.
        access: How it is opened.
    """
    global _kept
    key = _key_of(path, access)
    if _kept is not None and _kept[0] == key:
        reader, _kept = _kept[1], None
    else:
        let_go()
        reader = open_reader(path, access)
    try:
        yield reader
    except BaseException:
        reader.close()
        raise
    if key is None:
        reader.close()
    else:
        _kept = key, reader


def let_go() -> None:
    """Close what is kept open."""
    global _kept
    if _kept is not None:
        reader, _kept = _kept[1], None
        reader.close()


def _key_of(path: str, access: Access) -> _Key | None:
    """What a file is known by, and changes with it; None where that can't be told.

    Files of which other files are a part, and directories, may change behind the path.
    """
    if is_url(path) or access.follow:
        return None
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        return None
    stamp = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
    return path, access, stamp
