"""A run: every task in order, its results into the sink, everything that is said to a listener."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from gpool_cli.batch.joined import joined
from gpool_cli.batch.sinks import Sink
from gpool_cli.batch.teller import Teller
from gpool_cli.batch.work import pool_file
from gpool_cli.errors import InputError
from gpool_cli.model import Event, Failed, FileDone, Result, Skipped, Tally, Task

Listener = Callable[[Event], None]


def run_tasks(
    tasks: Iterable[Task], sink: Sink, missing: Sequence[Failed], listen: Listener
) -> Tally:
    """Work through all tasks.

    Args:
        tasks: What to do.
        sink: Where results go.
        missing: Inputs that are not there, which failed before they began.
        listen: Told of everything that happens.

    Returns:
        The totals.

    Raises:
        OutputError: A result could not be written; the run ends.
        ReaderLeft: The reader of the pipe left.
    """
    started = time.perf_counter()
    tally = Tally()
    try:
        for failure in missing:
            tally.failed_files += 1
            listen(failure)
        for task in tasks:
            _run_task(task, sink, tally, listen)
        sink.finish(failed=tally.failed_files > 0)
    except BaseException:
        sink.discard()
        raise
    tally.bytes_out = sink.bytes_out
    tally.seconds = time.perf_counter() - started
    return tally


def _run_task(task: Task, sink: Sink, tally: Tally, listen: Listener) -> None:
    failed = False
    told: Teller | None = None
    sink.begin(task.file)
    for outcome in joined(pool_file(task)):
        event: Event
        if isinstance(outcome, Result):
            try:
                where = sink.add(outcome)
            except InputError as error:
                event = Failed(task.file, outcome.info.dataset, error.message, error.hint)
            else:
                told = told if told is not None and outcome.start > 0 else Teller(outcome, where)
                told.take_in(outcome, tally)
                if not outcome.is_last:
                    continue
                event = told.tell()
        else:
            event = outcome
        if isinstance(event, Failed):
            failed = True
        elif isinstance(event, FileDone):
            _count_file(tally, event, failed)
            sink.end(failed)
        elif isinstance(event, Skipped):
            tally.skipped += 1
        listen(event)


def _count_file(tally: Tally, done: FileDone, failed: bool) -> None:
    tally.files += 1
    tally.failed_files += failed
    tally.maps += done.maps
    tally.bytes_in += done.bytes_read
