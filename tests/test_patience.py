"""Waiting for workers, and being asked to stop meanwhile."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from gpool_cli import stopping
from gpool_cli.batch.executors import Limits
from gpool_cli.batch.executors.processes import ProcessExecutor
from gpool_cli.patience import failure_in, is_done, result_of, wait_for_any


class Enough(BaseException):
    pass


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "wish", stopping.Wish())


class Asking(threading.Condition):
    """What a future locks; we are asked to stop whenever this thread has just locked it."""

    asks = threading.get_ident()

    def __enter__(self) -> bool:
        entered = super().__enter__()
        if threading.get_ident() == self.asks:
            stopping.stop(Enough())
        return entered


def wait_for_the_network(future: Future[Any]) -> None:
    pytest.importorskip("fsspec")
    from gpool_cli.remote import calls

    calls.wait(future)


@pytest.mark.parametrize(
    ("look", "done"),
    [
        (is_done, True),
        (is_done, False),
        (failure_in, True),
        (result_of, True),
        (result_of, False),
        (lambda future: wait_for_any([future]), False),
        (wait_for_the_network, True),
        (wait_for_the_network, False),
    ],
)
def test_who_has_the_answer_need_not_wait_for_who_was_asked_to_stop(
    look: Callable[[Future[Any]], object], done: bool
) -> None:
    future: Future[int] = Future()
    if done:
        future.set_result(1)
    future._condition = Asking()
    with contextlib.suppress(Enough):  # At once, or where the run looks next.
        look(future)
    with pytest.raises(Enough):
        stopping.check()
    other = threading.Thread(target=future.cancel, daemon=True)
    other.start()
    other.join(30)
    assert not other.is_alive()


def test_a_wait_ends_soon_when_asked_to() -> None:
    asking = threading.Timer(0.2, setattr, (stopping.wish, "reason", Enough()))
    asking.start()
    started = time.monotonic()
    with pytest.raises(Enough):
        wait_for_any([Future()], 60)
    assert time.monotonic() - started < 30


def test_a_wait_has_its_end() -> None:
    wait_for_any([Future()], 0.05)
    wait_for_any([])


def test_whichever_comes_first_is_enough() -> None:
    first: Future[int] = Future()
    threading.Timer(0.1, first.set_result, (7,)).start()
    wait_for_any([Future(), first])
    assert result_of(first) == 7


def test_what_was_raised_is_raised() -> None:
    future: Future[int] = Future()
    future.set_exception(TimeoutError("of the work"))
    with pytest.raises(TimeoutError, match="of the work"):
        result_of(future)
    assert isinstance(failure_in(future), TimeoutError)


def ask() -> int:
    stopping.stop(Enough())
    stopping.check()
    return os.getpid()


def test_a_process_that_was_just_forked_is_not_who_is_asked() -> None:
    executor = ProcessExecutor(Limits(60))
    try:
        assert result_of(executor.submit(ask)) != os.getpid()
    finally:
        executor.shutdown()
