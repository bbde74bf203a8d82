"""How units of work are spread: the table of executors.

An executor is one row here and one file beside this one, whose ``make()`` gives a
`concurrent.futures.Executor` of one worker. One worker an executor, so that a worker that dies
names the one unit that it died of, and is replaced alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import Executor

TABLE = {
    "processes": "gpool_cli.batch.executors.processes:make",
}


def load_executor(name: str) -> Callable[[], Executor]:
    """What makes one worker of this kind."""
    module, function = TABLE[name].split(":")
    make: Callable[[], Executor] = getattr(importlib.import_module(module), function)
    return make
