"""Who works: this process where that is enough and safe, or workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from gpool_cli.batch.pipeline import Work
from gpool_cli.formats.opening import isolated
from gpool_cli.model import InputFile

_Value = TypeVar("_Value")

DEFAULT_TIMEOUT = 10.0


@contextmanager
def workers(count: int, timeout: float) -> Iterator[Work]:
    """What works through tasks.

    Args:
        count: How many worker processes; with 0 this one does it, and imports nothing for more.
        timeout: How long one may be without progress on a block, in seconds.
    """
    if count == 0:
        yield Work()
        return
    from gpool_cli.batch.executors import load_executor
    from gpool_cli.batch.slots import Slots

    with Slots(partial(load_executor("processes"), timeout), count) as slots:
        yield Work(slots.answers, slots.look, count)


class Scout:
    """Looks into single files, in a worker where that may be harmful. A context manager.

    Args:
        timeout: How long the worker may be without progress, in seconds.
    """

    def __init__(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        self._timeout = timeout
        self._slot: Any = None

    def call(self, file: InputFile, fn: Callable[..., _Value], *args: Any) -> _Value:
        """Call a function that looks into a file.

        Raises:
            InputError: The worker died of it, or whatever the function raises.
        """
        if not isolated(file.path):
            return fn(*args)
        if self._slot is None:
            from gpool_cli.batch.executors import load_executor
            from gpool_cli.batch.slot import Slot

            self._slot = Slot(partial(load_executor("processes"), self._timeout))
        value: _Value = self._slot.call(file, fn, *args)
        return value

    def __enter__(self) -> Scout:
        return self

    def __exit__(self, *_: object) -> None:
        if self._slot is not None:
            self._slot.end(wait=False)
