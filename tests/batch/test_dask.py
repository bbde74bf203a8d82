"""What becomes of work whose answer Dask never gives; see tests/test_cluster.py for real ones."""

from collections.abc import Iterator
from concurrent import futures as concurrent_futures
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from gpool_cli import stopping
from gpool_cli.batch.executors import Limits, dask
from gpool_cli.errors import GpoolError, Interrupted


class Silent(Executor):
    """Takes work, and never answers."""

    def __init__(self) -> None:
        self.taken: list[Future[Any]] = []

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        self.taken.append(Future())
        return self.taken[-1]


class Client:
    """A connection to a scheduler, as far as it is asked for here."""

    def __init__(self) -> None:
        self.status = "running"
        self.executor = Silent()

    def get_executor(self, pure: bool) -> Executor:
        return self.executor

    def run(self, *_: Any, **__: Any) -> dict[str, str]:
        return {}

    def close(self) -> None:
        self.status = "closed"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    client = Client()
    monkeypatch.setattr(dask, "_connect", lambda address: client)
    monkeypatch.setattr(dask, "_LOOK", 0.01)
    return client


@pytest.fixture
def executor(client: Client) -> Iterator[dask.DaskExecutor]:
    executor = dask.DaskExecutor(Limits(), "tcp://here:1")
    yield executor
    executor.shutdown(wait=False)


def test_an_answer_that_was_lost_with_the_scheduler_is_an_error(
    client: Client, executor: dask.DaskExecutor
) -> None:
    futures = [executor.submit(len, "") for _ in range(3)]
    with pytest.raises(concurrent_futures.TimeoutError):
        futures[0].result(0.1)
    client.status = "connecting"
    for future in futures:
        with pytest.raises(GpoolError, match="the Dask scheduler at tcp://here:1 is gone"):
            future.result(10)


def test_one_cancelled_answer_ends_the_others_too(
    client: Client, executor: dask.DaskExecutor
) -> None:
    futures = [executor.submit(len, "") for _ in range(2)]
    client.executor.taken[0].cancel()
    client.executor.taken[0].set_running_or_notify_cancel()
    for future in futures:
        with pytest.raises(GpoolError, match="is gone"):
            future.result(10)


def test_what_comes_after_all_is_no_second_answer(
    client: Client, executor: dask.DaskExecutor
) -> None:
    future = executor.submit(len, "")
    client.status = "connecting"
    assert isinstance(future.exception(10), GpoolError)
    client.executor.taken[0].set_exception(KeyError("late"))
    assert isinstance(future.exception(), GpoolError)


def test_what_was_handed_in_is_known_whoever_asks_to_stop_meanwhile(
    client: Client, executor: dask.DaskExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "wish", stopping.Wish())
    submit = client.executor.submit

    def submit_and_stop(*args: Any) -> Future[Any]:
        stopping.stop(Interrupted())
        return submit(*args)

    client.executor.submit = submit_and_stop  # type: ignore[method-assign]
    assert not executor.submit(len, "").done()
    with pytest.raises(Interrupted):
        stopping.check()
