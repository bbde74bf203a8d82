"""The garbage collector, kept away while HDF5 reads through Python.

HDF5 has one lock, and who lets go of one of its objects takes it. A file behind a URL is read with
that lock held, by Python that waits for the thread of the network. Python collects garbage in
whatever thread asks for memory; if that thread found an object of HDF5's, it would wait for us, and
we for it.
"""

from __future__ import annotations

import gc
import threading


class NoCollector:
    """There is no collector from when this is made until it is closed, but for `collect`."""

    _lock = threading.Lock()
    _count = 0
    _was_on = False

    def __init__(self) -> None:
        cls = type(self)
        with cls._lock:
            if cls._count == 0:
                cls._was_on = gc.isenabled()
                gc.disable()
            cls._count += 1

    def collect(self) -> None:
        """Collect what is new, where HDF5 reads nothing and the network has nothing to do."""
        gc.collect(1)

    def close(self) -> None:
        """Let the collector come back, once for every one that was made."""
        cls = type(self)
        with cls._lock:
            cls._count -= 1
            if cls._count == 0 and cls._was_on:
                gc.enable()
