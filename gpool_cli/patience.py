"""Waiting for workers and the network, in such a way that to be asked to stop does no harm.

An exception that a signal handler raises may come up where a future's lock was just taken. It would
stay taken, and the thread that has the answer would wait for it for ever.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, TypeVar

from gpool_cli.stopping import check, held

_Value = TypeVar("_Value")

# How often we look whether we were asked to stop, in seconds.
_LOOK = 0.1


def is_done(future: Future[Any]) -> bool:
    """Whether there is nothing to wait for."""
    with held():
        return future.done()


def failure_in(future: Future[Any]) -> BaseException | None:
    """What a future that is done has raised."""
    with held():
        return future.exception()


def result_of(future: Future[_Value]) -> _Value:
    """Wait for a future, and give its result or raise its exception."""
    wait_for_any([future])
    with held():
        return future.result()


def wait_for_any(futures: Iterable[Future[Any]], seconds: float | None = None) -> None:
    """Wait until one of some futures is done, or for so many seconds."""
    futures = list(futures)
    ends = None if seconds is None else time.monotonic() + seconds
    while True:
        left = _LOOK if ends is None else min(_LOOK, ends - time.monotonic())
        with held():
            done = wait(futures, max(0, left), FIRST_COMPLETED).done
        check()
        if done or left < 0 or not futures:
            return
