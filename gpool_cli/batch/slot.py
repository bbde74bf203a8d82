"""One worker and those that replace it: what it died of costs one file, and the rest is done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from typing import Any, TypeVar

from gpool_cli.batch.crash import crash_failure, crash_of
from gpool_cli.batch.executors import WorkerDied
from gpool_cli.batch.units import Answer, ListMaps, Unit, WholeFiles, work_on
from gpool_cli.batch.work import failure_of
from gpool_cli.errors import GpoolError
from gpool_cli.model import Alike, FileDone, InputFile, Outcome, Task
from gpool_cli.patience import failure_in, is_done, result_of

_Value = TypeVar("_Value")

# The load that a listing is, in units.
_A_LISTING = 3


@dataclass(eq=False)
class Pending:
    """A unit that was handed out: to which worker, and what will be its answer."""

    unit: Unit
    slot: Slot
    executor: Executor
    future: Future[Answer]

    def is_answered(self) -> bool:
        """Whether there is nothing to wait for."""
        return is_done(self.future)

    def answer(self) -> Answer:
        """Wait for the answer."""
        return self.slot.take(self)


class Slot:
    """A place for one worker, which is replaced when it dies.

    Args:
        make: Makes an executor with one worker.
    """

    def __init__(self, make: Callable[[], Executor]) -> None:
        self._make = make
        self._executor = make()
        self.queue: deque[Pending] = deque()

    def load(self) -> int:
        """How many units are still to be done; one that the worker died of counts until it is told.

        So a dead worker gets nothing that its successor would do before what must be done again.
        To list maps takes as long as to pool those of several units.
        """
        waiting = (p for p in self.queue if not is_done(p.future) or failure_in(p.future))
        return sum(_A_LISTING if isinstance(p.unit, ListMaps) else 1 for p in waiting)

    def hand_out(self, unit: Unit) -> Pending:
        """Give the worker one more unit; after a death, when what is left of it is in order."""
        for lost in [p for p in self.queue if _is_lost(p)]:
            if _is_lost(lost):
                self._recover(lost.executor)
        pending = Pending(unit, self, *self._submit(work_on, unit))
        self.queue.append(pending)
        return pending

    def answer_at_once(self, unit: Unit, answer: Answer) -> Pending:
        """Take a unit whose answer is known, in its place among the others."""
        future: Future[Answer] = Future()
        future.set_result(answer)
        pending = Pending(unit, self, self._executor, future)
        self.queue.append(pending)
        return pending

    def take(self, pending: Pending) -> Answer:
        """Wait for the answer to a unit; after it the slot knows it no more."""
        while True:
            try:
                answer = result_of(pending.future)
            except BrokenExecutor:
                self._recover(pending.executor)
                continue
            except MemoryError as error:
                answer = self._without_room(pending.unit, error)
            self.queue.remove(pending)
            return answer

    def call(self, file: InputFile, fn: Callable[..., _Value], *args: Any) -> _Value:
        """Have the worker call a function, and wait for it; for slots that do nothing else.

        Args:
            file: What the function looks into.
            fn: The function.
            args: What it is given.

        Raises:
            InputError: The worker died of it.
        """
        try:
            value: _Value = result_of(self._submit(fn, *args)[1])
        except WorkerDied as died:
            raise crash_of(file, died) from None
        return value

    def end(self, wait: bool) -> None:
        """End the worker: when it has done what it has, or at once."""
        self._executor.shutdown(wait=wait, cancel_futures=True)

    def _submit(self, fn: Callable[..., Any], *args: Any) -> tuple[Executor, Future[Any]]:
        try:
            return self._executor, self._executor.submit(fn, *args)
        except BrokenExecutor:
            self._executor = self._make()
            return self._executor, self._executor.submit(fn, *args)

    def _recover(self, dead: Executor) -> None:
        """Answer the unit that a worker died of, and hand out again what it had behind that."""
        for pending in [p for p in self.queue if p.executor is dead and _is_lost(p)]:
            died = failure_in(pending.future)
            if isinstance(died, WorkerDied) and died.guilty:
                pending.future = Future()
                after = self._after_a_crash if died.place is not None else self._again
                pending.future.set_result(after(pending.unit, died))
            else:
                pending.executor, pending.future = self._submit(work_on, pending.unit)

    def _after_a_crash(self, unit: Unit, died: WorkerDied) -> Answer:
        """What there is to say of a unit that a worker died of; its other files are done."""
        if not isinstance(unit, WholeFiles):
            return crash_of(unit.task.file, died)
        place = min(died.place or 0, len(unit.tasks) - 1)
        file = unit.tasks[place].file
        said: list[Outcome] = [crash_failure(file, died), FileDone(file)]
        before = self._alone(unit.tasks[:place], unit.share)
        return [*before, *said, *self._alone(unit.tasks[place + 1 :], unit.share)]

    def _again(self, unit: Unit, _: WorkerDied) -> Answer:
        """Do a unit once more, file by file: workers died that had it, perhaps of another one.

        Nothing else that is done again is done meanwhile, and takes it along once more.
        """
        if isinstance(unit, WholeFiles):
            return [said for task in unit.tasks for said in self._alone([task], unit.share)]
        try:
            answer: Answer = result_of(self._submit(work_on, unit)[1])
        except WorkerDied as died:
            return crash_of(unit.task.file, died)
        except MemoryError as error:
            answer = self._without_room(unit, error)
        return answer

    def _without_room(self, unit: Unit, error: MemoryError) -> Answer:
        """What there is to say of a unit whose answer found no room; files are done one by one."""
        if not isinstance(unit, WholeFiles):
            failed = failure_of(unit.task.file, "", error)
            return GpoolError(failed.message, failed.hint)
        if len(unit.tasks) == 1:
            file = unit.tasks[0].file
            said: list[Outcome] = [failure_of(file, "", error), FileDone(file)]
            return said
        return [said for task in unit.tasks for said in self._alone([task], unit.share)]

    def _alone(self, tasks: Sequence[Task], share: int) -> Sequence[Outcome | Alike]:
        if not tasks:
            return []
        unit = WholeFiles(tuple(tasks), share)
        while True:
            try:
                answer = result_of(self._submit(work_on, unit)[1])
            except WorkerDied as died:
                if not died.guilty:
                    continue
                unsure = died.place is None and len(tasks) > 1
                answer = (self._again if unsure else self._after_a_crash)(unit, died)
            except MemoryError as error:
                answer = self._without_room(unit, error)
            assert isinstance(answer, list)
            return answer


def _is_lost(pending: Pending) -> bool:
    return is_done(pending.future) and isinstance(failure_in(pending.future), BrokenExecutor)
