"""A run: every task in order, its results into the sink, everything that is said to a listener."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from gpool_cli.batch.joined import joined
from gpool_cli.batch.pipeline import Work, outcomes_of
from gpool_cli.batch.sinks.interface import Sink
from gpool_cli.batch.teller import Teller, count_together, tell_one
from gpool_cli.batch.untold import Untold
from gpool_cli.batch.zeros import ZeroChannels
from gpool_cli.errors import InputError
from gpool_cli.events import Advanced, Audience, DoneBefore, Event, Pooled, Together
from gpool_cli.model import (
    Alike,
    Failed,
    FileDone,
    InputFile,
    Opened,
    Outcome,
    Result,
    Skipped,
    Task,
    TooLarge,
    Warned,
)
from gpool_cli.recipe import PoolingSpec
from gpool_cli.stopping import check
from gpool_cli.tally import Tally

Change = Callable[[Iterable[Outcome | Alike]], Iterator[Outcome | Alike]]


def run_tasks(
    tasks: Iterable[Task],
    sink: Sink,
    known: Sequence[Failed | Skipped | DoneBefore],
    audience: Audience,
    tally: Tally,
    work: Work | None = None,
    change: Change | None = None,
) -> None:
    """Work through all tasks.

    Args:
        tasks: What to do.
        sink: Where results go.
        known: Inputs that are not there, which failed before they began, those that are left out,
            and those that were done before.
        audience: Told of everything that happens.
        tally: The totals; they are right whatever ends the run.
        work: Who does it; None does it in this process.
        change: What becomes of outcomes before they are put in order; None for nothing.

    Raises:
        OutputError: A result could not be written; the run ends.
        ReaderLeft: The reader of the pipe left.
    """

    def advance(advanced: Advanced) -> None:
        # What is finished need not wait for a large file.
        sink.look_at_the_clock()
        audience.tell(advanced)

    outcomes = outcomes_of(tasks, work or Work(), advance)
    changed = change(outcomes) if change is not None else outcomes
    take_outcomes(changed, sink, known, audience, tally)


def take_outcomes(
    outcomes: Iterable[Outcome | Alike],
    sink: Sink,
    known: Sequence[Failed | Skipped | DoneBefore],
    audience: Audience,
    tally: Tally,
) -> None:
    """Put outcomes in their places, as they come.

    Args:
        outcomes: What the work on every input gave, in their order.
        sink: As for `run_tasks`, and so are the others.
        known: The same.
        audience: The same.
        tally: The same.

    Raises:
        OutputError: As `run_tasks` does.
        ReaderLeft: The same.
    """
    started = time.perf_counter()
    run = _Run(sink, audience, tally)
    try:
        for event in known:
            run.take_known(event)
        for outcome in joined(outcomes, sink.in_turns):
            check()
            if isinstance(outcome, Alike):
                run.take_together(outcome)
            else:
                run.take(outcome)
        check()
        sink.finish(failed=tally.failed_files > 0)
    except BaseException:
        run.forget_what_is_not_whole()
        sink.discard()
        raise
    finally:
        sink.close()
        tally.bytes_out = sink.bytes_out
        tally.seconds = time.perf_counter() - started


_DROPPED = "nothing of it was written, since not all of it could be pooled"


class _Run:
    """What is known while outcomes pass from the work into the sink."""

    def __init__(self, sink: Sink, audience: Audience, tally: Tally) -> None:
        self.tally = tally
        self._sketched = audience.sketched
        self._sink = sink
        self._listen = audience.tell
        self._waits = audience.attentive and sink.drops_failed
        self._file: InputFile | None = None
        self._failed = False
        self._pooled = False
        self._refused: str | None = None
        self._tellers: dict[PoolingSpec, Teller] = {}
        self._untold = Untold()
        self._zeros = ZeroChannels()
        self._before = replace(tally), self._zeros

    def take_known(self, event: Failed | Skipped | DoneBefore) -> None:
        """Count an input that was not there, is left out, or was done before."""
        if isinstance(event, Failed):
            self.tally.failed_files += 1
        elif isinstance(event, Skipped):
            self.tally.skipped += 1
        else:
            self.tally.done_before += 1
        self._listen(event)

    def take(self, outcome: Outcome) -> None:
        """Take in the next outcome; those of a file come together and end with a `FileDone`."""
        if self._file is None:
            self._begin(outcome.file)
        if isinstance(outcome, Result):
            self._take_result(outcome)
        elif isinstance(outcome, FileDone):
            self._end(outcome)
        elif isinstance(outcome, Opened):
            self._sink.surround(outcome.surroundings)
        elif not isinstance(outcome, TooLarge):
            self._tell(outcome)

    def take_together(self, alike: Alike) -> None:
        """Take in files at once, if the sink can, or else their outcomes one by one."""
        where = self._sink.add_together(alike)
        if where is None:
            for outcome in alike.outcomes():
                check()
                self.take(outcome)
            return
        count_together(alike, self.tally)
        for result in alike.results:
            self._zeros.take_in(result, self.tally)
        self._listen(Together(alike, partial(tell_one, alike, where, self._sketched)))

    def _begin(self, file: InputFile) -> None:
        self._file, self._failed, self._pooled, self._refused = file, False, False, None
        try:
            self._sink.begin(file)
        except InputError as error:
            self._tell(Failed(file, "", error.message, error.hint))

    def _end(self, done: FileDone) -> None:
        try:
            self._sink.end(self._failed)
        except InputError as error:
            self._tell(Failed(done.file, "", error.message, error.hint))
        if self._failed and self._pooled and self._sink.drops_failed:
            self._listen(Warned(done.file, "", "dropped", _DROPPED))
        for pooled in self._untold:
            self._listen(replace(pooled, where="") if self._failed else pooled)
        self._untold.close()
        self._untold = Untold()
        self.tally.files += 1
        self.tally.failed_files += self._failed
        self._file = None
        self._listen(done)

    def _take_result(self, result: Result) -> None:
        """Put a result, or a piece of one, into the sink; a map that it refuses fails once."""
        if self._refused == result.info.dataset:
            return
        try:
            where = self._sink.add(result)
        except InputError as error:
            self._refused = result.info.dataset
            self._tell(Failed(result.file, result.info.dataset, error.message, error.hint))
            return
        if not self._tellers and not result.is_last:
            self._before = replace(self.tally), self._zeros.copy()
        if result.start:
            teller = self._tellers[result.pooling]
        else:
            teller = Teller(result, where, self._sketched)
            if not result.is_last:
                self._tellers[result.pooling] = teller
        teller.take_in(result, self.tally)
        self._zeros.take_in(result, self.tally)
        if result.is_last:
            self._tellers.pop(result.pooling, None)
            self._tell(teller.tell())

    def _tell(self, event: Event) -> None:
        if isinstance(event, (Failed, Skipped, Warned)):
            self._sink.hear(event)
        if isinstance(event, Failed):
            self._failed = True
            self.forget_what_is_not_whole()
        elif isinstance(event, Skipped):
            self.tally.skipped += 1
        elif isinstance(event, Pooled):
            self._pooled = True
            if event.first:
                self.tally.maps += 1
                self.tally.bytes_in += event.info.nbytes
        if isinstance(event, Pooled) and self._waits:
            self._untold.add(event)
        else:
            self._listen(event)

    def forget_what_is_not_whole(self) -> None:
        """Take out of the totals what was counted of a map that failed, or ends here, half way."""
        if self._tellers:
            before, self._zeros = self._before
            vars(self.tally).update(vars(before))
            self._tellers = {}
