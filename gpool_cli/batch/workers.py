"""Who works: this process where that is enough and safe, or workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from gpool_cli.batch.discoverfar import list_suffixed
from gpool_cli.batch.keptopen import let_go
from gpool_cli.batch.pipeline import Work
from gpool_cli.formats.opening import isolated
from gpool_cli.heap import keep_freed
from gpool_cli.model import InputFile

if TYPE_CHECKING:
    from gpool_cli.remote.interface import Entry


_Value = TypeVar("_Value")


@contextmanager
def workers(count: int, timeout: float, memory: int) -> Iterator[Work]:
    """What works through tasks.

    Args:
        count: How many worker processes; with 0 this one does it, and imports nothing for more.
        timeout: How long one may be without progress on a block, in seconds.
        memory: The bytes that blocks may take.
    """
    keep_freed()
    if count == 0:
        try:
            yield Work()
        finally:
            let_go()
        return
    from gpool_cli.batch.executors import Limits, load_executor
    from gpool_cli.batch.slots import Slots

    make = partial(load_executor("processes"), Limits(timeout, memory))
    with Slots(make, count) as slots:
        yield Work(slots.answers, slots.look, count)


@contextmanager
def cluster(address: str, timeout: float, memory: int) -> Iterator[Work]:
    """The workers of a cluster, to work through tasks.

    Args:
        address: Where its scheduler is.
        timeout: As for `workers`.
        memory: The bytes that blocks may take in each of them.

    Raises:
        UsageError: There is no scheduler, or a worker has another gpool.
    """
    from gpool_cli.batch.cluster import BUNDLE, Cluster
    from gpool_cli.batch.executors import Limits, WideExecutor, load_executor

    executor = load_executor("dask")(Limits(timeout, memory), address)
    assert isinstance(executor, WideExecutor)
    with Cluster(executor) as slots:
        note = "" if executor.width() else "the cluster has no workers yet; waiting for the first"
        yield Work(slots.answers, slots.look, bundle=BUNDLE, note=note)


class Scout:
    """Looks into single files, in a worker where that may be harmful. A context manager.

    Args:
        timeout: How long the worker may be without progress, in seconds.
    """

    def __init__(self, timeout: float) -> None:
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
            from gpool_cli.batch.executors import Limits, load_executor
            from gpool_cli.batch.slot import Slot

            self._slot = Slot(partial(load_executor("processes"), Limits(self._timeout)))
        value: _Value = self._slot.call(file, fn, *args)
        return value

    def list_tree(self, url: str) -> list[Entry]:
        """What is below a prefix of an object store and has a suffix that gpool reads.

        Raises:
            InputError: It can't be listed.
        """
        return self.call(InputFile(url, url), list_suffixed, url)

    def __enter__(self) -> Scout:
        return self

    def __exit__(self, *_: object) -> None:
        if self._slot is not None:
            self._slot.end(wait=False)
