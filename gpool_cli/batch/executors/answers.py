"""Answers on their way from a worker process: long values beside the pickle, each copied once.

An answer is a message with the pickle and the sizes of what stands beside it, and then a message
for each of those. A pickle with the values in it would be copied four times, and go through a pipe
that holds 64 KiB, with a change of processes for each of them.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
from multiprocessing.connection import Connection
from typing import Any

# Values of fewer bytes stand in the pickle: a message of their own costs more than a copy.
_LONG = 1 << 16

# What Linux lets any user ask for.
_PIPE_BYTES = 1 << 20


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
        OSError: Nobody takes it.
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
    for view in beside:
        end.send_bytes(view)


def receive(end: Connection) -> Any:
    """Wait for an answer.

    Raises:
        EOFError: There will be none.
        Exception: Whatever comes up in what can't be read.
    """
    pickled, sizes = pickle.loads(end.recv_bytes())
    beside = [bytearray(size) for size in sizes]
    for buffer in beside:
        end.recv_bytes_into(buffer)
    return pickle.loads(pickled, buffers=beside)
