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
from collections import deque
from collections.abc import Callable, MutableSequence, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from gpool_cli import ceiling, pulse
from gpool_cli.batch.executors import Limits, WorkerDied, answers
from gpool_cli.batch.keptopen import let_go
from gpool_cli.batch.stall import StallWatch
from gpool_cli.batch.stopping import held
from gpool_cli.heap import keep_freed

# How often a worker that is at work is looked at, in seconds.
_LOOK = 0.25

# How long a worker without work keeps a file open, in seconds: there may be more to do in it.
_PAUSE = 0.2

# PR_SET_PDEATHSIG of <linux/prctl.h>.
_SET_PARENT_DEATH_SIGNAL = 1


def make(limits: Limits, _: str = "") -> Executor:
    """One worker process within limits."""
    return ProcessExecutor(limits)


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
    """

    @held()
    def __init__(self, limits: Limits) -> None:
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
        self._process.start()
        work.close()
        theirs.close()
        self._timeout = limits.timeout
        self._waiting: deque[Future[Any]] = deque()
        self._reader: threading.Thread | None = None
        self._lock = threading.Lock()
        self._died: WorkerDied | None = None

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
        try:
            # A worker that was forked later holds this pipe too: closing it says nothing yet.
            if wait:
                self._work.send(None)
            else:
                self._process.kill()
        except (OSError, ValueError):
            self._process.kill()
        self._process.join()
        if self._reader is not None:
            self._reader.join()
        else:
            self._answers.close()
            self._work.close()

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
        self._process.kill()
        self._process.join()
        number = -(self._process.exitcode or 0)
        self._break(WorkerDied(number, stalled, self._cells[pulse.PLACE]))
        # Nothing comes or goes any more: after hundreds of crashes there would be no files left.
        self._answers.close()
        self._work.close()

    def _wait(self, watch: StallWatch) -> None:
        """Wait until there is something to read, or the worker is stuck."""
        while not self._answers.poll(_LOOK):
            if watch.is_stuck(at_work=bool(self._waiting)):
                raise _StuckError

    def _break(self, died: WorkerDied) -> None:
        with self._lock:
            self._died = died
            waiting, self._waiting = self._waiting, deque()
        for number, future in enumerate(waiting):
            future.set_exception(died if number == 0 else WorkerDied(guilty=False))


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
    for end in inherited:
        end.close()
    pulse.share(cells)
    keep_freed()
    ceiling.hold(memory)
    _end_with_parent()
    # Ctrl-C reaches every process of a terminal; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
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
