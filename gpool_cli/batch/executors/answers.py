"""Answers on their way from a worker process: long values stand beside the pickle.

An answer is a message with the pickle and the sizes of what stands beside it, and then a message
for each of those. Pickled, values would be copied once more on either side, and a pipe that holds
64 KiB would cost a change of processes for each of them.
"""

from __future__ import annotations

import contextlib
import errno
import pickle
import sys
from multiprocessing.connection import Connection
from typing import Any

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
        OSError: Nobody takes it, or there was no room when half of it was sent.
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
            end.send_bytes(view)
    except MemoryError as error:
        raise OSError(errno.ENOMEM, "no room for the rest of an answer") from error


def receive(end: Connection) -> Any:
    """Wait for an answer.

    Raises:
        EOFError: There will be none, or not all of it.
        Exception: Whatever comes up in what can't be read.
    """
    pickled, sizes = pickle.loads(end.recv_bytes())
    beside = [bytearray(size) for size in sizes]
    for buffer in beside:
        if end.recv_bytes_into(buffer) < len(buffer):
            raise EOFError
    return pickle.loads(pickled, buffers=beside)
