"""What an input is: a file, a directory that is read as one, or a file behind a URL.

How large it is and when it was changed tells a run that it is the same as before.
"""

from __future__ import annotations

import os
import stat

from gpool_cli import pulse
from gpool_cli.formats import row_of_marks, row_of_suffix
from gpool_cli.model import InputFile
from gpool_cli.remote import is_url

# A URL that was named has a size that only its server knows: two such go together to a worker.
_BEHIND_A_URL = 8 << 20

# To ask for a small file takes as long as to read so much: only few of them go to one worker.
_LEAST_BEHIND_A_URL = 4 << 20


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


def stamp_of(file: InputFile) -> tuple[int, int]:
    """The size of an input in bytes, and when it was changed last, in nanoseconds.

    Raises:
        OSError: It is not there, can't be looked at, or its server did not say.
    """
    if not is_url(file.path):
        return stamp_at(file.path)
    size, changed_ns = file.stamp or (0, None)
    if changed_ns is None:
        raise FileNotFoundError(file.path)
    return size, changed_ns


def bytes_to_read(file: InputFile) -> int:
    """The bytes that reading an input is worth, as far as can be told without asking a server.

    Raises:
        OSError: It is not there, or can't be looked at.
    """
    if not is_url(file.path):
        return stamp_at(file.path)[0]
    known = file.stamp[0] if file.stamp is not None else _BEHIND_A_URL
    return max(known, _LEAST_BEHIND_A_URL)


def stamp_at(path: str) -> tuple[int, int]:
    """The size of what is at a path in bytes, and when it was changed last, in nanoseconds.

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
