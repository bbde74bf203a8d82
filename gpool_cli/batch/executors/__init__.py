"""How units of work are spread: the table of executors.

An executor is one row here and one file beside this one, whose ``make(limits, address)`` gives a
`concurrent.futures.Executor`: of one worker, which is replaced alone, or a `WideExecutor`, which
replaces its workers itself. Work that a worker died of ends with `WorkerDied`.
"""

from __future__ import annotations

import importlib
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass

from gpool_cli.access import DEFAULT_MEMORY

TABLE = {
    "processes": "gpool_cli.batch.executors.processes:make",
    "dask": "gpool_cli.batch.executors.dask:make",
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


class WideExecutor(Executor):
    """An executor of many workers, which may come and go, on machines of their own."""

    @abstractmethod
    def width(self) -> int:
        """How many units of work its workers do at once; 0 while there are no workers."""


Make = Callable[..., Executor]
"""Called with limits and, for workers of other machines, the address that leads to them."""


class WorkerDied(BrokenExecutor):
    """What an executor's work ends with when its worker is gone.

    Attributes:
        signal: The signal that it died of; 0 where that is not known.
        stalled: It was killed because it made no progress.
        place: Which file of its unit it was working on; None where that is not known.
        guilty: This is the work that it was doing; False for what waited behind it.
        times: How many workers died that had this work.
    """

    def __init__(
        self,
        signal: int = 0,
        stalled: bool = False,
        place: int | None = 0,
        guilty: bool = True,
        times: int = 1,
    ) -> None:
        super().__init__("the worker has died")
        self.signal = signal
        self.stalled = stalled
        self.place = place
        self.guilty = guilty
        self.times = times


def load_executor(name: str) -> Make:
    """What makes one worker of this kind, given its limits."""
    module, function = TABLE[name].split(":")
    make: Make = getattr(importlib.import_module(module), function)
    return make
