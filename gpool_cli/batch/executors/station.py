"""A station: what stands beside a worker of a cluster, and has a worker process of gpool's own.

A crash of a library, a stall, and a want of memory cost a cluster's worker nothing then: they are
met as on one machine. The station is a process that begins anew, because a cluster's worker has
threads, which a fork does not survive, and may not have children that `multiprocessing` knows of.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from gpool_cli import __version__
from gpool_cli.batch.executors import Limits, WorkerDied, load_executor
from gpool_cli.errors import GpoolError
from gpool_cli.printable import printable

# A station that had no work for so long leaves, in seconds: nobody says that a run is over.
_IDLE = 60.0

# Modules are not sought in the directory of the run, which may hold anything.
_COMMAND = (
    "import sys; sys.path = [path for path in sys.path if path]; "
    "from gpool_cli.batch.executors.station import serve; serve(int(sys.argv[1]), sys.argv[2])"
)

_Key = tuple[str, Limits]
_lock = threading.Lock()
_waiting: list[tuple[_Key, _Station]] = []


def work_here(version: str, directory: str, limits: Limits, work: bytes) -> bytes:
    """Do work in a worker of a cluster; this is the function that the cluster runs.

    Args:
        version: That of the gpool that asks.
        directory: Where it was started; relative paths begin there.
        limits: What the work may take.
        work: A function with its arguments, pickled.

    Returns:
        What it returns, pickled.

    Raises:
        GpoolError: The work can't be done here.
        WorkerDied: The worker process died of it.
    """
    if version != __version__:
        raise other_version(socket.gethostname(), __version__, version)
    if not os.path.isdir(directory):
        raise GpoolError(
            f"the workers on {socket.gethostname()} have no directory {printable(directory)}",
            "start gpool in a directory that all of them have, with the inputs below it",
        )
    key = directory, limits
    while True:
        station = _idle_station(key) or _Station(directory, limits)
        answer = station.ask(work)
        if answer is not None:
            break
    with _lock:
        _waiting.append((key, station))
    done, value = pickle.loads(answer)
    if not done:
        raise value
    taken: bytes = value
    return taken


def other_version(where: str, theirs: str, ours: str) -> GpoolError:
    """What to say of a worker that has another gpool."""
    return GpoolError(
        f"the worker {where} has gpool {theirs}, and this is gpool {ours}",
        "install the same version on all machines",
    )


def _idle_station(key: _Key) -> _Station | None:
    """One that waits for work like this; those that have left are forgotten."""
    with _lock:
        for one in [one for one in _waiting if one[1].has_left()]:
            _waiting.remove(one)
        for one in _waiting:
            if one[0] == key:
                _waiting.remove(one)
                return one[1]
    return None


class _Station:
    """A process that does work in a worker of its own. It ends when this process does."""

    def __init__(self, directory: str, limits: Limits) -> None:
        self._link, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, str(theirs.fileno()), directory],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_surroundings(),
            )
        self._link.send(limits)

    def has_left(self) -> bool:
        """Whether the process is gone."""
        if self._process.poll() is None:
            return False
        self._link.close()
        return True

    def ask(self, work: bytes) -> bytes | None:
        """Have work done; None where the station had left before it came.

        Raises:
            WorkerDied: The station was killed.
        """
        try:
            self._link.send_bytes(work)
            return self._link.recv_bytes()
        except (EOFError, OSError):
            self._link.close()
        code = self._process.wait()
        if code == 0:
            return None
        raise WorkerDied(signal=max(0, -code), place=None)


def _surroundings() -> dict[str, str]:
    """The environment of a station: that of the cluster's worker, but for two things."""
    env = {**os.environ}
    # Dask has its workers give freed memory back at once. Every block would then be memory that is
    # new, and the system would fill it with zeros: a fifth of the processor's time for gzip.
    env.pop("MALLOC_TRIM_THRESHOLD_", None)
    # The threads of numpy's BLAS, which nothing here uses, would spin on the cores.
    env["OPENBLAS_NUM_THREADS"] = "1"
    return env


def serve(fd: int, directory: str) -> None:
    """Be a station, until nothing comes any more.

    Args:
        fd: The connection to who asks.
        directory: Where relative paths begin.
    """
    # Ctrl-C reaches every process of a terminal; who asks decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.chdir(directory)
    link: Connection[Any, Any] = Connection(fd)
    make = partial(load_executor("processes"), link.recv())
    executor = make()
    with contextlib.suppress(EOFError, OSError):
        while link.poll(_IDLE):
            future = executor.submit(_do, link.recv_bytes())
            error = future.exception()
            if isinstance(error, WorkerDied):
                executor = make()
            link.send_bytes(pickle.dumps((False, error) if error else (True, future.result())))
    link.close()
    executor.shutdown(wait=False)


def _do(work: bytes) -> bytes:
    """Do work that came pickled; the stations between pass on bytes."""
    fn, args, kwargs = pickle.loads(work)
    return pickle.dumps(fn(*args, **kwargs))
