"""The workers of a cluster: one executor takes the work for all of them, and they come and go."""

from __future__ import annotations

from gpool_cli.batch.executors import WideExecutor
from gpool_cli.batch.slots import Slots

# To hand a unit to a cluster and take its answer back costs several processes some 20 ms of the
# processor. So one of a large file has so many times the bytes that it has on this machine.
BUNDLE = 8

# So many units for each that is worked on: the next must be there when one is done.
_AHEAD = 3

# So many units for each that is worked on have no answer that was taken yet: memory is bounded.
_UNTAKEN = 4

# A cluster that grows with its work sees at least so much of it, whatever its size is now.
_LEAST_WIDTH = 8


class Cluster(Slots):
    """Hands steps to a cluster, as many as it takes to keep it busy. A context manager.

    Args:
        executor: What spreads the work. Leaving the context ends it.
    """

    elsewhere = True
    patience = 1.0

    def __init__(self, executor: WideExecutor) -> None:
        super().__init__(lambda: executor, 1)
        self._cluster = executor

    def _is_full(self, waiting: int) -> bool:
        width = max(self._cluster.width(), _LEAST_WIDTH)
        return self._slots[0].load() >= _AHEAD * width or waiting >= _UNTAKEN * width
