"""What an input is on disk: a file, or a directory that is read as one."""

from __future__ import annotations

import os
import stat

from gpool_cli import pulse
from gpool_cli.formats import row_of_marks, row_of_suffix


def is_store(path: str, named: bool = False) -> bool:
    """Whether a directory is one input, and not a tree of them.

    Args:
        path: A directory.
        named: The user named it, so that what stands in it may say so too; otherwise its suffix.
    """
    row = row_of_suffix(path.rstrip(os.sep))
    if row is not None and row.marks:
        return True
    return named and row_of_marks(os.listdir(path)) is not None


def stamp_of(path: str) -> tuple[int, int]:
    """The size of an input in bytes, and when it was changed last, in nanoseconds.

    Those of a directory are of all files below it.

    Raises:
        OSError: It is not there, or can't be looked at.
    """
    status = os.stat(path)
    if not stat.S_ISDIR(status.st_mode):
        return status.st_size, status.st_mtime_ns
    size, newest = 0, status.st_mtime_ns
    for directory, _, names in os.walk(path):
        pulse.look()
        newest = max(newest, os.lstat(directory).st_mtime_ns)
        for name in names:
            status = os.lstat(os.path.join(directory, name))
            size, newest = size + status.st_size, max(newest, status.st_mtime_ns)
    return size, newest
