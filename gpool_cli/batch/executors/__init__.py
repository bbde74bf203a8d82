"""How units of work are spread: the table of executors.

An executor is one row here and one file beside this one, whose ``make(limits)`` gives a
`concurrent.futures.Executor` of one worker. Work that it did, or had, when its worker died ends
with `WorkerDied`. One worker an executor: it is replaced alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass

from gpool_cli.access import DEFAULT_MEMORY

TABLE = {
    "processes": "gpool_cli.batch.executors.processes:make",
}


@dataclass(frozen=True)
class Limits:
    """What a worker may take.

    Attributes:
        timeout: How long it may be without progress on a block, in seconds.
        memory: The bytes that blocks may take.
    """

    timeout: float = 10.0
    memory: int = DEFAULT_MEMORY


Make = Callable[[Limits], Executor]


class WorkerDied(BrokenExecutor):
    """What an executor's work ends with when its worker is gone.

    Attributes:
        signal: The signal that it died of; 0 where that is not known.
        stalled: It was killed because it made no progress.
        place: Which file of its unit it was working on.
        guilty: This is the work that it was doing; False for what waited behind it.
    """

    def __init__(
        self, signal: int = 0, stalled: bool = False, place: int = 0, guilty: bool = True
    ) -> None:
        super().__init__("the worker has died")
        self.signal = signal
        self.stalled = stalled
        self.place = place
        self.guilty = guilty


def load_executor(name: str) -> Make:
    """What makes one worker of this kind, given its limits."""
    module, function = TABLE[name].split(":")
    make: Make = getattr(importlib.import_module(module), function)
    return make
