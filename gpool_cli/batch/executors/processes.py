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
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from multiprocessing.connection import Connection
from typing import Any


def make() -> Executor:
    """One worker process."""
    return ProcessExecutor()


class ProcessExecutor(Executor):
    """One worker process, which does what it is handed in that order.

    On Linux it is forked: that takes 5 ms, because what is imported is there already, against
    200 ms for a process that begins anew. A thread of this process takes the answers; it starts
    with the first work, when all workers have been forked.

    Only the worker holds the sending end of its answers, so that its death is the end of them.
    The worker that was forked last sees the death of this process as the end of its work, ends
    itself, and so lets go of the pipes that it inherited: the one before it sees it then.
    """

    def __init__(self) -> None:
        forked = sys.platform == "linux"
        context: Any = multiprocessing.get_context("fork" if forked else "spawn")
        work, self._work = context.Pipe(duplex=False)
        self._answers, answers = context.Pipe(duplex=False)
        inherited = (self._work, self._answers) if forked else ()
        self._process = context.Process(target=_serve, args=(work, answers, inherited), daemon=True)
        self._process.start()
        work.close()
        answers.close()
        self._waiting: deque[Future[Any]] = deque()
        self._reader: threading.Thread | None = None
        self._lock = threading.Lock()
        self._broken = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand in work.

        Raises:
            BrokenExecutor: The worker has died.
        """
        if self._reader is None:
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()
        future: Future[Any] = Future()
        with self._lock:
            if self._broken:
                raise BrokenExecutor(_DIED)
            self._waiting.append(future)
        try:
            self._work.send((fn, args, kwargs))
        except OSError:
            self._break()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the worker: when it has done what it has, or at once."""
        if wait:
            # A worker that was forked later holds this pipe too: closing it says nothing yet.
            with contextlib.suppress(OSError):
                self._work.send(None)
        else:
            self._process.kill()
        self._process.join()
        self._work.close()

    def _read(self) -> None:
        while True:
            try:
                done, value = self._answers.recv()
            except Exception:
                # The pipe ended, perhaps in the middle of an answer.
                self._break()
                return
            with self._lock:
                future = self._waiting.popleft()
            if done:
                future.set_result(value)
            else:
                future.set_exception(value)

    def _break(self) -> None:
        with self._lock:
            self._broken = True
            waiting, self._waiting = self._waiting, deque()
        for future in waiting:
            future.set_exception(BrokenExecutor(_DIED))


_DIED = "the worker process has died"


def _serve(work: Connection, answers: Connection, inherited: Sequence[Connection]) -> None:
    """Be a worker: do what comes, until nothing can come any more."""
    for end in inherited:
        end.close()
    # Ctrl-C reaches every process of a terminal; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        try:
            wanted = work.recv()
        except EOFError:
            return
        if wanted is None:
            return
        fn, args, kwargs = wanted
        try:
            answer = True, fn(*args, **kwargs)
        except Exception as error:
            answer = False, error
        try:
            answers.send(answer)
        except OSError:
            return
