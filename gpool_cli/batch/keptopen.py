"""The file that parts of a map were read from last, kept open: the next parts are mostly of it.

To open an HDF5 file and find a dataset in it takes as long as to read some megabytes. But HDF5 has
one memory of an open file for all that open it in a process, and they would see it as it was. So
what is kept is closed before a file is opened anew, and where there is nothing to do.
"""

from __future__ import annotations

import contextlib
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

    After an error it is closed, and otherwise when a file is asked for anew, or by `let_go`.

    Args:
        path: The file.
        access: How it is opened.
    """
    global _kept
    key = _key_of(path, access)
    if _kept is not None and _kept[0] == key:
        reader, _kept = _kept[1], None
    else:
        reader = open_anew(path, access)
    try:
        yield reader
    except BaseException:
        reader.close()
        raise
    if key is None:
        reader.close()
    else:
        _kept = key, reader


def open_anew(path: str, access: Access) -> Reader:
    """A reader of a file as it is now, with nothing kept open.

    Args:
        path: The file.
        access: How it is opened.
    """
    let_go()
    return open_reader(path, access)


def let_go() -> None:
    """Close what is kept open.

    What was to be read of it was read, whatever comes up now; and the next file is another.
    """
    global _kept
    if _kept is not None:
        reader, _kept = _kept[1], None
        with contextlib.suppress(Exception):
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
