"""Worker processes on this machine.

The standard library's pool is not used: when one of its workers dies in the middle of an answer,
its own thread waits for the rest for ever, and so does the end of the program.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from gpool_cli import ceiling, pulse
from gpool_cli.batch.executors import Limits, WorkerDied, answers
from gpool_cli.batch.keptopen import let_go
from gpool_cli.batch.stall import StallWatch
from gpool_cli.errors import GpoolError
from gpool_cli.heap import keep_freed
from gpool_cli.stopping import held

# How often a worker that is at work is looked at, in seconds.
_LOOK = 0.25

# How long a worker without work keeps a file open, in seconds: there may be more to do in it.
_PAUSE = 0.2

# How long a worker that has nothing more to do may take to end, in seconds.
_LEAVING = 5.0

# PR_SET_PDEATHSIG of <linux/prctl.h>.
_SET_PARENT_DEATH_SIGNAL = 1


def make(limits: Limits, _: str = "") -> Executor:
    """One worker process within limits."""
    return ProcessExecutor(limits)


# What the process that is gpool answers in ways of its own.
_OURS = () if sys.platform == "win32" else (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _StuckError(Exception):
    """The worker makes no progress."""


class ProcessExecutor(Executor):
    """One worker process, which does what it is handed in that order.

    To be asked to stop is held back where an exception would leave a lock taken, or come up in the
    process that was just forked.

    On Linux it is forked: that takes 5 ms, because what is imported is there already, against
    200 ms for a process that begins anew. A thread of this process takes the answers; it starts
    with the first work, when all workers have been forked.

    Only the worker holds the sending end of its answers, so that its death is the end of them.
    The worker that was forked last sees the death of this process as the end of its work, ends
    itself, and so lets go of the pipes that it inherited: the one before it sees it then.

    Args:
        limits: What it may take.

    Raises:
        GpoolError: The system has no room for one more process.
    """

    @held()
    def __init__(self, limits: Limits) -> None:
        try:
            self._start(limits)
        except OSError as error:
            reason = error.strerror or str(error)
            raise GpoolError(
                f"can't start a worker process: {reason}", "try fewer with --jobs"
            ) from error
        self._timeout = limits.timeout
        self._waiting: deque[Future[Any]] = deque()
        self._reader: threading.Thread | None = None
        self._lock = threading.Lock()
        self._died: WorkerDied | None = None
        self._ends: float | None = None

    def _start(self, limits: Limits) -> None:
        forked = sys.platform == "linux"
        context: Any = multiprocessing.get_context("fork" if forked else "spawn")
        work, self._work = context.Pipe(duplex=False)
        self._answers, theirs = context.Pipe(duplex=False)
        answers.widen(theirs)
        self._cells = context.RawArray("Q", pulse.CELLS)
        inherited = (self._work, self._answers) if forked else ()
        self._process = context.Process(
            target=_serve, args=(work, theirs, self._cells, limits.memory, inherited), daemon=True
        )
        with _signals_wait():
            self._process.start()
        work.close()
        theirs.close()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand in work.

        Raises:
            WorkerDied: It has.
        """
        future = self._expect_answer()
        try:
            self._work.send((fn, args, kwargs))
        except (OSError, ValueError):
            # It has died, or has half a message: the reader is told by its end.
            self._process.kill()
        return future

    @held()
    def _expect_answer(self) -> Future[Any]:
        if self._reader is None:
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()
        future: Future[Any] = Future()
        with self._lock:
            if self._died is not None:
                raise self._died
            self._waiting.append(future)
        return future

    @held()
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the worker: when it has done what it has, or at once."""
        if self._reader is None:
            self._end_process()
            return
        try:
            # A worker that was forked later holds this pipe too: closing it says nothing yet.
            if wait:
                self._work.send(None)
            else:
                self._process.kill()
        except (OSError, ValueError):
            self._process.kill()
        self._ends = time.monotonic() + _LEAVING
        self._reader.join()

    def _read(self) -> None:
        stalled = False
        try:
            while True:
                watch = StallWatch(self._cells, self._process.pid, self._timeout)
                done, value = answers.receive(self._answers, partial(self._wait, watch))
                with self._lock:
                    future = self._waiting.popleft()
                if done:
                    future.set_result(value)
                else:
                    future.set_exception(value)
        except _StuckError:
            stalled = True
        except Exception:
            # The pipe ended, perhaps in the middle of an answer, or what came can't be read. What
            # comes up then is anybody's guess, and this thread must live to say who died.
            pass
        self._end_process()
        number = -(self._process.exitcode or 0)
        self._break(WorkerDied(number, stalled, self._cells[pulse.PLACE]))

    def _end_process(self) -> None:
        self._process.kill()
        # A system that waits for a disk that is gone does not let go of a process either.
        self._process.join(_LEAVING)
        # Nothing comes or goes any more: after hundreds of crashes there would be no files left.
        self._answers.close()
        self._work.close()

    def _wait(self, watch: StallWatch) -> None:
        """Wait until there is something to read, or the worker is stuck."""
        while not self._answers.poll(_LOOK):
            late = self._ends is not None and time.monotonic() > self._ends
            if watch.is_stuck(at_work=bool(self._waiting)) or (late and not self._waiting):
                raise _StuckError

    def _break(self, died: WorkerDied) -> None:
        with self._lock:
            self._died = died
            waiting, self._waiting = self._waiting, deque()
        for number, future in enumerate(waiting):
            future.set_exception(died if number == 0 else WorkerDied(guilty=False))


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    """Have signals wait in this block, and in the process that is started in it until it is ready.

    They are not for it, or, where it is to end at once, not for the handlers that it inherits.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _answer_signals_as_a_worker() -> None:
    """What reaches every process of a terminal is for the parent, which decides what becomes of it.

    Only what is sent to this process alone ends it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)


def _end_with_parent() -> None:
    """Have the system end this process with its parent, also while a library runs in circles."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _serve(
    work: Connection,
    back: Connection,
    cells: MutableSequence[int],
    memory: int,
    inherited: Sequence[Connection],
) -> None:
    """Be a worker: do what comes, until nothing can come any more."""
    _answer_signals_as_a_worker()
    for end in inherited:
        end.close()
    pulse.share(cells)
    keep_freed()
    ceiling.hold(memory)
    _end_with_parent()
    while True:
        try:
            if not work.poll(_PAUSE):
                let_go()
            wanted = work.recv()
        except (EOFError, OSError):
            return
        if wanted is None:
            return
        fn, args, kwargs = wanted
        pulse.begin(0)
        try:
            answer = True, fn(*args, **kwargs)
        except Exception as error:
            answer = False, error
        pulse.work()
        try:
            answers.send(back, answer)
        except MemoryError:
            answers.send(back, (False, MemoryError()))
        except OSError:
            return
