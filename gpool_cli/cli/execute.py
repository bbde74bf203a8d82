"""A pooling command at work: from its options to a run, and from the run to an exit code."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gpool_cli.batch.confidences import Classifier, Confidences
from gpool_cli.batch.destination import Destination, parse_destination
from gpool_cli.batch.discover import Found, discover, with_distinct_names
from gpool_cli.batch.jobs import usable_cores, worth_workers
from gpool_cli.batch.masks import check_pattern, companions_of, files_beside, split_masks
from gpool_cli.batch.pipeline import Work
from gpool_cli.batch.plan import (
    Planned,
    check_beside,
    check_existing,
    check_plan,
    check_reports,
    plan,
)
from gpool_cli.batch.planfar import check_far_outputs
from gpool_cli.batch.run import Change, run_tasks
from gpool_cli.batch.sinks import make_sink
from gpool_cli.batch.sinks.interface import Sink
from gpool_cli.batch.workers import Scout, cluster, workers
from gpool_cli.cli.conduct import conduct
from gpool_cli.cli.inputs import named_inputs
from gpool_cli.cli.listening import Listeners
from gpool_cli.cli.options import RunOptions
from gpool_cli.errors import UsageError
from gpool_cli.events import DoneBefore
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import Failed, Skipped, Task
from gpool_cli.poolings import check_weighted
from gpool_cli.recipe import PoolingSpec, Recipe
from gpool_cli.report.lines import print_note
from gpool_cli.surroundings import Carry
from gpool_cli.tally import Tally

if TYPE_CHECKING:
    from gpool_cli.batch.manifest import Parameters
    from gpool_cli.batch.record import Record


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
    if options.count:
        specs = [*specs, PoolingSpec("count")]
    destination = parse_destination(
        options.output,
        options.format,
        options.stack,
        [spec.label for spec in specs],
        options.overwrite,
        options.resume,
    )
    _check_terminal(destination)
    _check_companions(specs, options)
    if options.shard is not None:
        from gpool_cli.cli.share import with_part

        destination = with_part(destination, options.shard)
    with Scout(options.timeout) as scout:
        found = discover(
            named_inputs(options),
            options.keys,
            options.base,
            _own_paths(destination),
            scout.list_tree,
        )
    recipe = Recipe(
        poolings=tuple(specs),
        layout=options.layout,
        nan=options.nan,
        dtype=options.dtype if classifier is None else None,
        shape=options.shape,
        batched=options.stack or not found.alone,
        activation=classifier.activation if classifier is not None else "",
        head=classifier.fingerprint() if classifier is not None else "",
        mask=options.mask,
        weights=options.weights_map,
        fill=options.fill_value,
        unpack=options.unpack,
        normalize=options.normalize,
    )
    files, masks = split_masks(found.files, recipe)
    if destination.kind != "directory":
        files = with_distinct_names(files)
    if options.shard is not None:
        from gpool_cli.cli.share import check_shard

        check_shard(files, options)
    missing = [Failed(file, "", error.message, error.hint) for file, error in found.missing]
    with Scout(options.timeout) as scout:
        planned = list(plan(files, destination, options.layout, options.access, scout))
        check_plan(planned, destination)
        check_far_outputs(planned, destination, scout)
        if recipe.has_companions:
            beside = (c.path for file in files for c in companions_of(file, recipe))
            check_beside(planned, destination, options.reports, beside)
        check_reports(options.reports, planned, destination)
        if options.copy_others and not any(destination.carries(one.file) for one in planned):
            raise UsageError(
                "--copy-others needs an HDF5 output to copy to", "write to .h5, or leave it out"
            )
        if options.copy_others and options.scheduler is not None:
            raise UsageError(
                "--copy-others passes datasets through files of this machine",
                "leave out --scheduler",
            )
        if options.dry_run:
            from gpool_cli.cli.dryrun import Plan, print_plan

            rest, done = _look(destination, planned, recipe, options)
            rest = options.shard.share(rest) if options.shard is not None else rest
            access, strict = options.access, options.strict
            return print_plan(
                Plan(
                    rest, missing, masks, destination, recipe, strict, access, len(done), classifier
                ),
                scout,
            )
    aside: list[Failed | Skipped] = [*missing, *masks]
    style = _style(destination, recipe, found, options)
    change = Confidences(classifier, options.strict).of if classifier is not None else None
    if options.shard is not None:
        from gpool_cli.cli.share import part_sink, whole_of

        check_existing(planned, destination)
        whole = whole_of(planned, aside, destination, recipe, style, found.alone, options)
        part = part_sink(options.shard, whole, planned, aside, destination)
        share, known = options.shard.share(planned), part.head.aside
        return _run(part, share, known, destination, recipe, options, None, None, change)
    with _record(destination, planned, recipe, options) as record:
        sink = make_sink(destination, style, found.alone, record)
        rest = record.rest if record is not None else planned
        before: list[Failed | Skipped | DoneBefore] = [*aside]
        before += record.done if record is not None else ()
        return _run(sink, rest, before, destination, recipe, options, record, found.words, change)


def _check_terminal(destination: Destination) -> None:
    row = destination.format
    if destination.kind == "stdout" and row and not row.text and sys.stdout.isatty():
        raise UsageError(
            f"{row.name} is binary, and standard output is a terminal",
            "pipe it into a program, choose -f csv, or name a file with -o",
        )


def _check_companions(specs: Sequence[PoolingSpec], options: RunOptions) -> None:
    if options.mask is not None:
        check_pattern(options.mask, "--mask")
    if options.weights_map is not None:
        check_pattern(options.weights_map, "--weights-map")
        check_weighted(specs)


def _own_paths(destination: Destination) -> list[str]:
    """What a walk must not take for inputs."""
    if destination.kind == "file":
        return destination.outputs_of_file()
    return [destination.path] if destination.kind == "directory" else []


def _parameters(destination: Destination, recipe: Recipe, options: RunOptions) -> Parameters:
    from gpool_cli.batch.manifest import parameters_of

    return parameters_of(
        recipe,
        destination.format.name if destination.format is not None else None,
        options.copy_others,
        options.strict,
        options.access,
    )


def _look(
    destination: Destination, planned: Sequence[Planned], recipe: Recipe, options: RunOptions
) -> tuple[Sequence[Planned], Sequence[DoneBefore]]:
    """What a run would have to do, and what is done."""
    if not destination.is_recorded:
        check_existing(planned, destination)
        return planned, ()
    from gpool_cli.batch.record import look_at_directory

    parameters = _parameters(destination, recipe, options)
    return look_at_directory(destination, planned, parameters)


@contextlib.contextmanager
def _record(
    destination: Destination, planned: Sequence[Planned], recipe: Recipe, options: RunOptions
) -> Iterator[Record | None]:
    """Hold the directory that is written into; there is none to hold for other destinations."""
    if not destination.is_recorded:
        check_existing(planned, destination)
        yield None
        return
    # Imported where it is needed: checksums, and the name of the host, take a tenth of the start.
    from gpool_cli.batch.record import held_directory

    parameters = _parameters(destination, recipe, options)
    with held_directory(destination, planned, parameters) as record:
        yield record


def _style(
    destination: Destination, recipe: Recipe, found: Found, options: RunOptions
) -> WriteStyle:
    return WriteStyle(
        stack=destination.stack,
        batched=recipe.batched,
        recipe=recipe.describe(),
        several_poolings=len(recipe.poolings) > 1,
        several_inputs=destination.kind != "directory" and not found.alone,
        copy_others=options.copy_others,
    )


def _run(
    sink: Sink,
    rest: Sequence[Planned],
    known: Sequence[Failed | Skipped | DoneBefore],
    destination: Destination,
    recipe: Recipe,
    options: RunOptions,
    record: Record | None,
    words: Sequence[str] | None,
    change: Change | None,
) -> int:
    tally = Tally()
    with contextlib.ExitStack() as stack:
        carry = Carry(_passing_directory(stack) if options.copy_others else "")
        tasks = _tasks(rest, destination, recipe, carry, options, record)
        work = stack.enter_context(_workers(rest, recipe, options))
        if work.note and not options.quiet:
            print_note(work.note)
        listeners = stack.enter_context(Listeners(recipe, destination, len(rest), options))
        return conduct(
            lambda: run_tasks(
                tasks, sink, known, listeners.tell, tally, work, change, listeners.sketched
            ),
            listeners,
            tally,
            words,
            go_on="go on with --resume" if record is not None else "",
        )


def _workers(
    rest: Sequence[Planned], recipe: Recipe, options: RunOptions
) -> contextlib.AbstractContextManager[Work]:
    """Who does the work: a cluster where one is named, else as many as the work is worth."""
    if options.scheduler is not None:
        return cluster(options.scheduler, options.timeout, options.max_memory)
    count = worth_workers([one.file for one in rest], recipe, options.jobs or usable_cores())
    return workers(count, options.timeout, options.max_memory)


def _tasks(
    rest: Sequence[Planned],
    destination: Destination,
    recipe: Recipe,
    carry: Carry,
    options: RunOptions,
    record: Record | None,
) -> Iterator[Task]:
    for one in rest:
        if record is not None:
            record.journal.see(one.file, files_beside(one.file, recipe))
        carried = carry if destination.carries(one.file) else None
        yield Task(one.file, recipe, options.strict, carried, options.access)


def _passing_directory(stack: contextlib.ExitStack) -> str:
    """A temporary directory for what passes from workers to the output."""
    import tempfile

    return stack.enter_context(tempfile.TemporaryDirectory(prefix="gpool-"))
