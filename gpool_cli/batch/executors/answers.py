"""Answers on their way from a worker process: long values stand beside the pickle.

An answer begins with a head: how long it is, the pickle, and the sizes of what stands beside it.
Then come the bytes of each of those. Pickled, or as messages of their own, values would be copied
once or twice more, and a pipe that holds 64 KiB would cost a change of processes for each of them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import struct
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

# Values of fewer bytes stand in the pickle: a message of their own costs more than a copy.
_LONG = 1 << 16

_LENGTH = struct.Struct("Q")

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
    head = pickle.dumps((pickled, [view.nbytes for view in beside]))
    length = _LENGTH.pack(len(head))
    try:
        for view in (memoryview(length), memoryview(head), *beside):
            _write(end, view)
    except MemoryError as error:
        # Another answer would be taken for the rest of this one.
        raise OSError(errno.ENOMEM, "no memory in the middle of an answer") from error


def receive(end: Connection, wait: Callable[[], object]) -> Any:
    """Wait for an answer.

    Args:
        end: The end of the pipe.
        wait: Waits until there is something to read, and raises where that is not worth it. It is
            called in the middle of an answer too: a worker may be stopped there.

    Raises:
        EOFError: There will be none, or not all of it.
        Exception: Whatever comes up in what can't be read, and what ``wait`` raises.
    """
    (length,) = _LENGTH.unpack(_read(end, _LENGTH.size, wait))
    pickled, sizes = pickle.loads(_read(end, length, wait))
    return pickle.loads(pickled, buffers=[_read(end, size, wait) for size in sizes])


def _read(end: Connection, size: int, wait: Callable[[], object]) -> memoryview:
    """The next bytes, in memory of their own."""
    taken = np.empty(size, np.uint8).data
    left = taken
    while left:
        wait()
        left = left[_read_some(end, left) :]
    return taken


if sys.platform == "win32":

    def _write(end: Connection, view: memoryview) -> None:
        """Send bytes."""
        end.send_bytes(view)

    def _read_some(end: Connection, view: memoryview) -> int:
        """Take what is there; it is a message of as many bytes as there should be."""
        return end.recv_bytes_into(view)

else:

    def _write(end: Connection, view: memoryview) -> None:
        """Send bytes."""
        while view:
            view = view[os.write(end.fileno(), view) :]

    def _read_some(end: Connection, view: memoryview) -> int:
        """Take what is there, as far as there is room."""
        count = os.readv(end.fileno(), [view])
        if not count:
            raise EOFError
        return count
