"""A run: every task in order, its results into the sink, everything that is said to a listener."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from gpool_cli.batch.sinks import Sink
from gpool_cli.batch.work import pool_file
from gpool_cli.errors import InputError
from gpool_cli.model import Failed, FileDone, Outcome, Result, Skipped, Tally, Task

Listener = Callable[[Outcome, str], None]


def run_tasks(
    tasks: Iterable[Task], sink: Sink, missing: Sequence[Failed], listen: Listener
) -> Tally:
    """Work through all tasks.

    Args:
        tasks: What to do.
        sink: Where results go.
        missing: Inputs that are not there, which failed before they began.
        listen: Told of every outcome, and where a result goes.

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
            listen(failure, "")
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
    sink.begin(task.file)
    for outcome in pool_file(task):
        said, where = outcome, ""
        if isinstance(outcome, Result):
            try:
                where = sink.add(outcome)
                _count_values(tally, outcome)
            except InputError as error:
                said = Failed(task.file, outcome.info.dataset, error.message, error.hint)
        if isinstance(said, Failed):
            failed = True
        elif isinstance(said, FileDone):
            _count_file(tally, said, failed)
            sink.end(failed)
        elif isinstance(said, Skipped):
            tally.skipped += 1
        listen(said, where)


def _count_values(tally: Tally, result: Result) -> None:
    tally.omitted += result.omitted
    if result.values.dtype.kind == "f":
        tally.nan_values += int(np.count_nonzero(np.isnan(result.values)))
        tally.inf_values += int(np.count_nonzero(np.isinf(result.values)))


def _count_file(tally: Tally, done: FileDone, failed: bool) -> None:
    tally.files += 1
    tally.failed_files += failed
    tally.maps += done.maps
    tally.bytes_in += done.bytes_read
