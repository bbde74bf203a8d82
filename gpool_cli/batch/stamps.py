"""How large an input is and when it was changed: what tells a run that it is the same as before."""

from __future__ import annotations

import os

from gpool_cli.model import InputFile
from gpool_cli.remote import is_url

# A URL that was named has a size that only its server knows: two such go together to a worker.
_BEHIND_A_URL = 8 << 20

# To ask for a small file takes as long as to read so much: only few of them go to one worker.
_LEAST_BEHIND_A_URL = 4 << 20


def stamp_of(file: InputFile) -> tuple[int, int]:
    """The size of an input in bytes, and when it was changed last, in nanoseconds.

    Raises:
        OSError: It is not there, can't be looked at, or its server did not say.
    """
    if is_url(file.path):
        size, changed_ns = file.stamp or (0, None)
        if changed_ns is None:
            raise FileNotFoundError(file.path)
        return size, changed_ns
    status = os.stat(file.path)
    return status.st_size, status.st_mtime_ns


def size_of(file: InputFile) -> int:
    """The bytes that reading an input is worth, as far as can be told without asking a server.

    Raises:
        OSError: It is not there, or can't be looked at.
    """
    if is_url(file.path):
        known = file.stamp[0] if file.stamp is not None else _BEHIND_A_URL
        return max(known, _LEAST_BEHIND_A_URL)
    return stamp_of(file)[0]
