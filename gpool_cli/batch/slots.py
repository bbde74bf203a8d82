"""Several workers: steps are handed out a few ahead, and their answers come back in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from types import TracebackType

from gpool_cli.batch.crash import Crashed
from gpool_cli.batch.masks import needs_worker
from gpool_cli.batch.slot import Pending, Slot
from gpool_cli.batch.units import (
    Answer,
    ListMaps,
    MapParts,
    Maps,
    Soon,
    Step,
    StepOrSoon,
    Unit,
    listing_of,
)
from gpool_cli.batch.work import Listing, list_maps
from gpool_cli.model import Task
from gpool_cli.patience import wait_for_any

# A worker has a unit and one more to go on with. What comes next goes to whoever is first done:
# workers are not equally fast, and what was dealt out too early one of them does alone at the end.
_AHEAD = 2

# So many units per worker have no answer that was taken yet: memory is bounded, and a worker need
# not wait for a slower one whose answer comes first.
_UNTAKEN = 4


class Slots:
    """A number of workers. A context manager; leaving it ends them.

    Args:
        make: Makes one executor with one worker.
        count: How many.
    """

    # They share the memory of this machine, and this process sees what they see.
    elsewhere = False

    # How long to wait for an answer before the number of workers is looked at again.
    patience: float | None = None

    def __init__(self, make: Callable[[], Executor], count: int) -> None:
        self._slots: list[Slot] = []
        try:
            for _ in range(count):
                self._slots.append(Slot(make))
        except BaseException:
            self._end(wait=False)
            raise
        self._deadly: dict[tuple[str, str], Crashed] = {}

    def answers(self, steps: Iterable[StepOrSoon]) -> Iterator[tuple[Step, Answer | None]]:
        """Work through steps.

        Args:
            steps: What to do; taken only as far ahead as workers need.

        Yields:
            Every step in order: a unit with its answer, anything else with None.
        """
        waiting: deque[tuple[Step, Pending | None]] = deque()
        begun: dict[Step, Pending] = {}
        for step in steps:
            if isinstance(step, Soon):
                begun[step.unit] = self._hand_out(step.unit)
                continue
            pending = begun.pop(step, None)
            if pending is None and isinstance(step, Unit):
                pending = self._hand_out(step)
            waiting.append((step, pending))
            while waiting and (_is_answered(waiting[0]) or self._is_full(len(waiting))):
                if _is_answered(waiting[0]):
                    yield self._answered(waiting.popleft())
                else:
                    self._wait()
        # What comes of the last step may take as long as all before: nothing is kept meanwhile.
        while waiting:
            yield self._answered(waiting.popleft())

    def _answered(self, waiting: tuple[Step, Pending | None]) -> tuple[Step, Answer | None]:
        step, pending = waiting
        answer = pending.answer() if pending is not None else None
        if isinstance(step, MapParts) and isinstance(answer, Crashed):
            self._deadly[step.task.file.path, step.info.dataset] = answer
        return step, answer

    def look(self, task: Task) -> Listing:
        """Look into a large file: here, or where that may be harmful in a worker."""
        if not (self.elsewhere or needs_worker(task.file, task.recipe)):
            return list_maps(task)
        return listing_of(task, self._hand_out(ListMaps(task)).answer())

    def _hand_out(self, unit: Unit) -> Pending:
        """Give a unit to who has least to do; one that takes much memory waits for the others."""
        if isinstance(unit, (Maps, MapParts)) and not self.elsewhere:
            most = unit.task.access.max_memory
            while self._memory() and self._memory() + unit.memory > most:
                self._wait()
        slot = min(self._slots, key=Slot.load)
        if isinstance(unit, MapParts):
            # The other parts of a map that a worker died of would cost one each.
            crashed = self._deadly.get((unit.task.file.path, unit.info.dataset))
            if crashed is not None:
                return slot.answer_at_once(unit, crashed)
        return slot.hand_out(unit)

    def _memory(self) -> int:
        """What the units that take much of it take together, if all are worked on at once."""
        under_way = (pending for slot in self._slots for pending in slot.queue)
        return sum(
            pending.unit.memory
            for pending in under_way
            if isinstance(pending.unit, (Maps, MapParts)) and not pending.is_answered()
        )

    def _is_full(self, waiting: int) -> bool:
        """Whether no more should be handed out now."""
        busy = all(slot.load() >= _AHEAD for slot in self._slots)
        return busy or waiting >= _UNTAKEN * len(self._slots)

    def _wait(self) -> None:
        """Wait until any worker has done a unit."""
        pending = (pending for slot in self._slots for pending in slot.queue)
        unanswered = [p.future for p in pending if not p.is_answered()]
        wait_for_any(unanswered, self.patience)

    def __enter__(self) -> Slots:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(wait=kind is None)

    def _end(self, wait: bool) -> None:
        for slot in self._slots:
            slot.end(wait)


def _is_answered(waiting: tuple[Step, Pending | None]) -> bool:
    """Whether a step can be passed on without waiting: it has its answer, or is no unit."""
    return waiting[1] is None or waiting[1].is_answered()
