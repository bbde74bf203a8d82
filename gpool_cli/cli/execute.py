"""A pooling command at work: from its options to a run, and from the run to an exit code."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gpool_cli.batch.jobs import usable_cores, worth_workers
from gpool_cli.batch.masks import files_beside
from gpool_cli.batch.pipeline import Work
from gpool_cli.batch.plan import Planned, check_existing
from gpool_cli.batch.run import Change, run_tasks
from gpool_cli.batch.sinks import make_sink
from gpool_cli.batch.workers import Scout, cluster, workers
from gpool_cli.cli.conduct import conduct
from gpool_cli.cli.listening import Listeners
from gpool_cli.cli.options import RunOptions
from gpool_cli.cli.prepare import Prepared, prepare
from gpool_cli.events import DoneBefore
from gpool_cli.model import Failed, Skipped, Task
from gpool_cli.recipe import PoolingSpec
from gpool_cli.report.lines import print_note
from gpool_cli.tally import Tally

if TYPE_CHECKING:
    from gpool_cli.batch.confidences import Classifier
    from gpool_cli.batch.manifest import Parameters
    from gpool_cli.batch.record import Record
    from gpool_cli.batch.sinks.interface import Sink
    from gpool_cli.surroundings import Carry


def execute(
    specs: Sequence[PoolingSpec], options: RunOptions, classifier: Classifier | None = None
) -> int:
    """Run poolings over inputs.

    Args:
        specs: The poolings.
        options: What the user asked for.
        classifier: What makes confidences of the pooled channels; None writes those.

    Returns:
        The exit code: 0, or 1 where an input failed or none was found.

    Raises:
        GpoolError: The run can't begin, or its output can't be written.
        Stopped: It was asked to stop.
    """
    prepared = prepare(specs, options, classifier)
    if options.dry_run:
        return _print_plan(prepared, options, classifier)
    change = _change(classifier, options)
    if options.shard is not None:
        from gpool_cli.cli.part import part_of

        check_existing(prepared.planned, prepared.destination)
        part = part_of(options.shard, prepared, options)
        share = options.shard.share(prepared.planned)
        return _run(prepared, options, part, share, part.head.aside, change=change)
    with _record(prepared, options) as record:
        sink = make_sink(prepared.destination, prepared.style, prepared.alone, record)
        rest = record.rest if record is not None else prepared.planned
        known = [*prepared.aside, *(record.done if record is not None else ())]
        return _run(prepared, options, sink, rest, known, record, prepared.words, change)


def _print_plan(prepared: Prepared, options: RunOptions, classifier: Classifier | None) -> int:
    from gpool_cli.cli.dryrun import Plan, print_plan

    rest, done = _look(prepared, options)
    looked_at = Plan(
        planned=options.shard.share(rest) if options.shard is not None else rest,
        missing=prepared.missing,
        aside=prepared.masks,
        destination=prepared.destination,
        recipe=prepared.recipe,
        strict=options.strict,
        access=options.access,
        done=len(done),
        classifier=classifier,
    )
    with Scout(options.timeout) as scout:
        return print_plan(looked_at, scout)


def _change(classifier: Classifier | None, options: RunOptions) -> Change | None:
    """What happens to results between the work and the sink."""
    if classifier is None:
        return None
    # Few runs need the layer behind the pooling, and the checksums that tell it from others.
    from gpool_cli.batch.confidences import Confidences

    return Confidences(classifier, options.strict).of


def _parameters(prepared: Prepared, options: RunOptions) -> Parameters:
    from gpool_cli.batch.manifest import parameters_of

    row = prepared.destination.format
    return parameters_of(
        prepared.recipe,
        row.name if row is not None else None,
        options.copy_others,
        options.strict,
        options.access,
    )


def _look(
    prepared: Prepared, options: RunOptions
) -> tuple[Sequence[Planned], Sequence[DoneBefore]]:
    """What a run would have to do, and what is done."""
    if not prepared.destination.is_recorded:
        check_existing(prepared.planned, prepared.destination)
        return prepared.planned, ()
    from gpool_cli.batch.record import look_at_directory

    parameters = _parameters(prepared, options)
    return look_at_directory(prepared.destination, prepared.planned, parameters)


@contextlib.contextmanager
def _record(prepared: Prepared, options: RunOptions) -> Iterator[Record | None]:
    """Hold the directory that is written into; there is none to hold for other destinations."""
    if not prepared.destination.is_recorded:
        check_existing(prepared.planned, prepared.destination)
        yield None
        return
    # Imported where it is needed: checksums, and the name of the host, take a tenth of the start.
    from gpool_cli.batch.record import held_directory

    parameters = _parameters(prepared, options)
    with held_directory(prepared.destination, prepared.planned, parameters) as record:
        yield record


def _run(
    prepared: Prepared,
    options: RunOptions,
    sink: Sink,
    rest: Sequence[Planned],
    known: Sequence[Failed | Skipped | DoneBefore],
    record: Record | None = None,
    words: Sequence[str] | None = None,
    change: Change | None = None,
) -> int:
    recipe, destination = prepared.recipe, prepared.destination
    tally = Tally()
    with contextlib.ExitStack() as stack:
        carry = _carry(prepared, options, stack)
        work = stack.enter_context(_workers(rest, prepared, options))
        if work.note and not options.quiet:
            print_note(work.note)
        listeners = stack.enter_context(Listeners(recipe, destination, len(rest), options))
        tasks = _tasks(rest, prepared, carry, options, record)
        return conduct(
            lambda: run_tasks(tasks, sink, known, listeners, tally, work, change),
            listeners,
            tally,
            words,
            destination,
            "go on with --resume" if record is not None else "",
        )


def _workers(
    rest: Sequence[Planned], prepared: Prepared, options: RunOptions
) -> contextlib.AbstractContextManager[Work]:
    """Who does the work: a cluster where one is named, else as many as the work is worth."""
    if options.scheduler is not None:
        return cluster(options.scheduler, options.timeout, options.max_memory)
    files = [one.file for one in rest]
    count = worth_workers(files, prepared.recipe, options.jobs or usable_cores())
    return workers(count, options.timeout, options.max_memory)


def _tasks(
    rest: Sequence[Planned],
    prepared: Prepared,
    carry: Carry | None,
    options: RunOptions,
    record: Record | None,
) -> Iterator[Task]:
    recipe = prepared.recipe
    for one in rest:
        if record is not None:
            record.journal.see(one.file, files_beside(one.file, recipe))
        carried = carry if prepared.destination.carries(one.file) else None
        yield Task(one.file, recipe, options.strict, carried, options.access)


def _carry(prepared: Prepared, options: RunOptions, stack: contextlib.ExitStack) -> Carry | None:
    """What outputs take over from their files, where they take over anything."""
    if not any(prepared.destination.carries(one.file) for one in prepared.planned):
        return None
    from gpool_cli.surroundings import Carry

    if not options.copy_others:
        return Carry("")
    import tempfile

    # What passes from workers to the output.
    return Carry(stack.enter_context(tempfile.TemporaryDirectory(prefix="gpool-")))
