"""Answers on their way from a worker process: long values stand beside the pickle.

An answer is a message with the pickle and the sizes of what stands beside it, and then the bytes of
each of those. Pickled, or as messages of their own, values would be copied once or twice more, and
a pipe that holds 64 KiB would cost a change of processes for each of them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import sys
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

# Values of fewer bytes stand in the pickle: a message of their own costs more than a copy.
_LONG = 1 << 16

# Linux gives all pipes of a user 64 MiB together: there may be many workers, and other programs.
_PIPE_BYTES = 1 << 18


def widen(end: Connection) -> None:
    """Have a pipe hold more at a time, where the system can do that."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(end.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def send(end: Connection, answer: Any) -> None:
    """Send an answer.

    Raises:
        MemoryError: There is no room for it; nothing was sent.
        OSError: Nobody takes it, or it can't be sent to its end.
    """
    beside: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        """Whether it is to stand in the pickle."""
        view = buffer.raw()
        if view.nbytes < _LONG:
            return True
        beside.append(view)
        return False

    pickled = pickle.dumps(answer, protocol=5, buffer_callback=keep)
    first = pickle.dumps((pickled, [view.nbytes for view in beside]))
    end.send_bytes(first)
    try:
        for view in beside:
            _write(end, view)
    except MemoryError as error:
        # Another answer would be taken for the rest of this one.
        raise OSError(errno.ENOMEM, "no memory in the middle of an answer") from error


def receive(end: Connection) -> Any:
    """Wait for an answer.

    Raises:
        EOFError: There will be none, or not all of it.
        Exception: Whatever comes up in what can't be read.
    """
    pickled, sizes = pickle.loads(end.recv_bytes())
    beside = [np.empty(size, np.uint8) for size in sizes]
    for buffer in beside:
        _read(end, buffer.data)
    return pickle.loads(pickled, buffers=beside)


if sys.platform == "win32":

    def _write(end: Connection, view: memoryview) -> None:
        """Send bytes."""
        end.send_bytes(view)

    def _read(end: Connection, view: memoryview) -> None:
        """Fill a buffer; there must be as many bytes as it has."""
        if end.recv_bytes_into(view) < len(view):
            raise EOFError

else:

    def _write(end: Connection, view: memoryview) -> None:
        """Send bytes."""
        while view:
            view = view[os.write(end.fileno(), view) :]

    def _read(end: Connection, view: memoryview) -> None:
        """Fill a buffer; there must be as many bytes as it has."""
        while view:
            count = os.readv(end.fileno(), [view])
            if not count:
                raise EOFError
            view = view[count:]
