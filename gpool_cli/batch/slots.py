"""Workers in slots: steps are handed out a few ahead, and their answers come back in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from types import TracebackType

from gpool_cli.batch.units import Answer, MapPart, Maps, Step, Unit, WholeFiles, work_on
from gpool_cli.errors import InputError
from gpool_cli.model import Failed, FileDone, Outcome

# A worker has a unit and one more to go on with. What comes next goes to whoever is first done:
# workers are not equally fast, and what was dealt out too early one of them does alone at the end.
_AHEAD = 2

# So many units per worker have no answer that was taken yet: memory is bounded, and a worker need
# not wait for a slower one whose answer comes first.
_UNTAKEN = 4

_CRASHED = "crashed the worker that read it"
_CRASHED_HINT = "the file is damaged, or a library has a bug; the others are done"


class Slots:
    """A number of workers. A context manager; leaving it ends them.

    Args:
        make: Makes one executor with one worker.
        count: How many.
    """

    def __init__(self, make: Callable[[], Executor], count: int) -> None:
        self._slots = [_Slot(make) for _ in range(count)]

    def answers(self, steps: Iterable[Step]) -> Iterator[tuple[Step, Answer | None]]:
        """Work through steps.

        Args:
            steps: What to do; taken only as far ahead as workers need.

        Yields:
            Every step in order: a unit with its answer, anything else with None.
        """
        waiting: deque[tuple[Step, _Pending | None]] = deque()
        for step in steps:
            pending = None
            if isinstance(step, (WholeFiles, Maps, MapPart)):
                pending = min(self._slots, key=_Slot.load).hand_out(step)
            waiting.append((step, pending))
            while waiting and (_is_answered(waiting[0]) or self._is_full(len(waiting))):
                if _is_answered(waiting[0]):
                    yield _answered(waiting.popleft())
                else:
                    self._wait()
        for first in waiting:
            yield _answered(first)

    def _is_full(self, waiting: int) -> bool:
        """Whether no more should be handed out now."""
        busy = all(slot.load() >= _AHEAD for slot in self._slots)
        return busy or waiting >= _UNTAKEN * len(self._slots)

    def _wait(self) -> None:
        """Wait until any worker has done a unit."""
        pending = (pending for slot in self._slots for pending in slot.queue)
        wait((p.future for p in pending if not p.future.done()), return_when=FIRST_COMPLETED)

    def __enter__(self) -> Slots:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for slot in self._slots:
            slot.end(wait=kind is None)


@dataclass(eq=False)
class _Pending:
    """A unit that was handed out: to whom, and what will be its answer."""

    unit: Unit
    slot: _Slot
    executor: Executor
    future: Future[Answer]

    def answer(self) -> Answer:
        return self.slot.wait_for(self)


def _is_answered(waiting: tuple[Step, _Pending | None]) -> bool:
    """Whether a step can be passed on without waiting: it has its answer, or is no unit."""
    return waiting[1] is None or waiting[1].future.done()


def _answered(waiting: tuple[Step, _Pending | None]) -> tuple[Step, Answer | None]:
    step, pending = waiting
    return step, pending.answer() if pending is not None else None


class _Slot:
    """A place for one worker, which is replaced when it dies.

    A worker does its units in the order in which it got them, and they are waited for in that
    order: the first unit without an answer is the one that a worker died of.
    """

    def __init__(self, make: Callable[[], Executor]) -> None:
        self._make = make
        self._executor = make()
        self.queue: deque[_Pending] = deque()

    def load(self) -> int:
        """How many units are still to be done; one that the worker died of counts until it is told.

        So a dead worker gets nothing that its successor would do before what must be done again.
        """
        return sum(not p.future.done() or p.future.exception() is not None for p in self.queue)

    def hand_out(self, unit: Unit) -> _Pending:
        pending = _Pending(unit, self, *self._submit(unit))
        self.queue.append(pending)
        return pending

    def wait_for(self, pending: _Pending) -> Answer:
        self.queue.remove(pending)
        try:
            return pending.future.result()
        except BrokenExecutor:
            answer = self._after_a_crash(pending.unit)
        for other in self.queue:
            if other.executor is pending.executor:
                other.executor, other.future = self._submit(other.unit)
        return answer

    def end(self, wait: bool) -> None:
        self._executor.shutdown(wait=wait, cancel_futures=True)

    def _submit(self, unit: Unit) -> tuple[Executor, Future[Answer]]:
        try:
            return self._executor, self._executor.submit(work_on, unit)
        except BrokenExecutor:
            self._executor = self._make()
            return self._executor, self._executor.submit(work_on, unit)

    def _after_a_crash(self, unit: Unit) -> Answer:
        """Find out which of several files it was; the others get their answers."""
        tasks = unit.tasks if isinstance(unit, WholeFiles) else ()
        if len(tasks) > 1:
            return [outcome for task in tasks for outcome in self._alone(WholeFiles((task,)))]
        if tasks:
            file = tasks[0].file
            return [Failed(file, "", _CRASHED, _CRASHED_HINT), FileDone(file)]
        return InputError(_CRASHED, _CRASHED_HINT)

    def _alone(self, unit: WholeFiles) -> Sequence[Outcome]:
        try:
            answer = self._submit(unit)[1].result()
        except BrokenExecutor:
            answer = self._after_a_crash(unit)
        assert isinstance(answer, list)
        return answer
