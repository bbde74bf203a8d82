"""The workers of a Dask cluster, through the executor that ``dask.distributed`` hands out."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import pkgutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, InvalidStateError
from functools import partial
from typing import Any

from gpool_cli import __version__
from gpool_cli.batch.executors import Limits, WideExecutor, WorkerDied
from gpool_cli.batch.executors.station import other_version, work_here
from gpool_cli.errors import GpoolError, UsageError
from gpool_cli.printable import printable
from gpool_cli.stopping import held

# How long to wait for a scheduler, in seconds.
_PATIENCE = 10

# How often the workers are counted, in seconds.
_COUNT = 1.0

# How often the scheduler is looked at, in seconds.
_LOOK = 1.0


def make(limits: Limits, address: str) -> WideExecutor:
    """The workers of a cluster.

    Args:
        limits: What the work on a unit may take.
        address: That of the scheduler, or a scheduler file.

    Raises:
        UsageError: There is no scheduler, or a worker has another gpool.
    """
    return DaskExecutor(limits, address)


class DaskExecutor(WideExecutor):
    """Hands work to a Dask scheduler. Work whose worker died is done again by another.

    Args:
        limits: What the work on a unit may take.
        address: That of the scheduler, or a scheduler file.
    """

    def __init__(self, limits: Limits, address: str) -> None:
        self._address = printable(address)
        self._client = _connect(address)
        self._cluster: Executor = self._client.get_executor(pure=False)
        self._here = __version__, os.getcwd(), limits
        self._width, self._counted = 0, -_COUNT
        self._unanswered: set[Future[Any]] = set()
        self._lost, self._over = threading.Event(), threading.Event()
        try:
            self._check_versions()
        except BaseException:
            self._client.close()
            raise
        threading.Thread(target=self._watch, daemon=True).start()

    def _check_versions(self) -> None:
        # A function of the standard library: it is there whatever a worker has of gpool.
        answers = self._client.run(pkgutil.resolve_name, "gpool_cli.__version__", on_error="return")
        for worker, answer in answers.items():
            if answer != __version__:
                wrong = isinstance(answer, Exception)
                error = (
                    _no_gpool(f"the Dask worker {printable(worker)}")
                    if wrong
                    else other_version(worker, answer, __version__)
                )
                raise UsageError(error.message, error.hint)

    def width(self) -> int:
        now = time.monotonic()
        if now - self._counted >= _COUNT:
            self._width, self._counted = sum(self._client.nthreads().values()), now
        return self._width

    @held()
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand in work; it is pickled once, and passed on as bytes."""
        work = _Call(*self._here, pickle.dumps((fn, args, kwargs)))
        future: Future[Any] = Future()
        self._unanswered.add(future)
        handed_in = self._cluster.submit(pickle.loads, pickle.dumps(work))
        handed_in.add_done_callback(partial(self._pass_on, future))
        return future

    def _pass_on(self, future: Future[Any], handed_in: Future[bytes]) -> None:
        try:
            answer = handed_in.result()
        except CancelledError:
            self._lost.set()
            self._end(future, self._gone())
        except Exception as error:
            self._end(future, _in_our_words(error))
        else:
            with contextlib.suppress(InvalidStateError):
                future.set_result(pickle.loads(answer))
        self._unanswered.discard(future)

    def _end(self, future: Future[Any], error: Exception) -> None:
        # Who watches may have done so before.
        with contextlib.suppress(InvalidStateError):
            future.set_exception(error)

    def _gone(self) -> GpoolError:
        return GpoolError(
            f"the Dask scheduler at {self._address} is gone",
            "start it; a directory of outputs is gone on with by --resume",
        )

    def _watch(self) -> None:
        """End what never will: Dask forgets answers on their way when the scheduler dies."""
        while not self._over.wait(_LOOK):
            lost = self._lost.is_set() or self._client.status != "running"
            # What was told already, and is on its way through Dask's thread, comes meanwhile.
            if lost and not self._over.wait(_LOOK):
                for future in list(self._unanswered):
                    self._end(future, self._gone())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster: when all work is done, or at once."""
        self._over.set()
        self._cluster.shutdown(wait=wait)
        self._client.close()


class _Call:
    """A call of `work_here`, which to unpickle is to make.

    A worker without gpool must be able to read all that it is handed: what it can't read costs it
    its connection, and nobody hears of it.
    """

    def __init__(self, *args: Any) -> None:
        self._args = args

    def __reduce__(self) -> tuple[Callable[..., bytes], tuple[Any, ...]]:
        return work_here, self._args


def _connect(address: str) -> Any:
    """A client of the scheduler.

    Raises:
        UsageError: Dask is not installed, or no scheduler answers in time.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import resolve_address
    except ImportError:
        raise UsageError(
            "--scheduler needs Dask, which is not installed", "pip install 'gpool[dask]'"
        ) from None
    # It logs every attempt to connect; what comes of it is said here.
    logging.disable()
    where = address if "://" in address else _in_file(address)
    try:
        resolve_address(where)  # A client that finds no way there takes long to give up.
        return Client(where, timeout=_PATIENCE, set_as_default=False, name="gpool")
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {printable(address)}: {_first_line(error)}",
            "is it running, and may this machine reach it?",
        ) from error


def _in_file(path: str) -> str:
    """The address in a scheduler file."""
    try:
        with open(path, encoding="utf-8") as file:
            return str(json.load(file)["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"--scheduler {printable(path)} is neither an address nor a scheduler file: "
            f"{_first_line(error)}",
            "an address looks like tcp://10.0.0.1:8786; dask scheduler --scheduler-file writes one",
        ) from None


def _first_line(error: Exception) -> str:
    return printable(str(error).strip().partition("\n")[0])


def _no_gpool(worker: str) -> GpoolError:
    return GpoolError(
        f"{worker} has no gpool, or one without --scheduler",
        f"install it there: pip install 'gpool[dask]=={__version__}'",
    )


def _in_our_words(error: Exception) -> Exception:
    """What became of work, as whoever handed it in knows it."""
    from distributed import KilledWorker

    if isinstance(error, (GpoolError, WorkerDied, MemoryError)):
        return error
    if isinstance(error, KilledWorker):
        return WorkerDied(place=None, times=int(error.allowed_failures) + 1)
    if isinstance(error, ImportError):
        return _no_gpool("a Dask worker")
    said = f"{type(error).__name__}: {_first_line(error)}"
    return GpoolError(f"a Dask worker can't do its work: {said}", "its log says more")
