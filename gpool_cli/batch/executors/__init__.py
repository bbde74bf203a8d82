"""How units of work are spread: the table of executors.

An executor is one row here and one file beside this one, whose ``make(timeout)`` gives a
`concurrent.futures.Executor` of one worker. One worker an executor, so that a worker that dies
names the one unit that it died of, and is replaced alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor

TABLE = {
    "processes": "gpool_cli.batch.executors.processes:make",
}

Make = Callable[[float], Executor]


class WorkerDied(BrokenExecutor):
    """What an executor's work ends with when its worker is gone.

    Attributes:
        signal: The signal that it died of; 0 where that is not known.
        stalled: It was killed because it made no progress.
        place: Which file of its unit it was working on.
    """

    def __init__(self, signal: int = 0, stalled: bool = False, place: int = 0) -> None:
        super().__init__("the worker has died")
        self.signal = signal
        self.stalled = stalled
        self.place = place


def load_executor(name: str) -> Make:
    """What makes one worker of this kind, given the seconds that it may be without progress."""
    module, function = TABLE[name].split(":")
    make: Make = getattr(importlib.import_module(module), function)
    return make
