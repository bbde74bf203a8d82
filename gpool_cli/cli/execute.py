"""A pooling command at work: from its options to a run, and from the run to an exit code."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gpool_cli.batch.destination import Destination, parse_destination
from gpool_cli.batch.discover import Found, discover, with_distinct_names
from gpool_cli.batch.jobs import usable_cores, worth_workers
from gpool_cli.batch.plan import Planned, check_existing, check_plan, check_report, plan
from gpool_cli.batch.planfar import check_far_outputs
from gpool_cli.batch.run import run_tasks
from gpool_cli.batch.sinks import make_sink
from gpool_cli.batch.workers import Scout, workers
from gpool_cli.cli.inputs import named_inputs, nothing_found
from gpool_cli.cli.listening import Listeners
from gpool_cli.cli.options import RunOptions
from gpool_cli.errors import GpoolError, Stopped, UsageError
from gpool_cli.events import DoneBefore
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import Failed, PoolingSpec, Recipe, Task
from gpool_cli.report.lines import print_error
from gpool_cli.surroundings import Carry
from gpool_cli.tally import Tally

if TYPE_CHECKING:
    from gpool_cli.batch.manifest import Parameters
    from gpool_cli.batch.record import Record


def execute(specs: Sequence[PoolingSpec], options: RunOptions) -> int:
    """Run poolings over inputs.

    Returns:
        The exit code: 0, or 1 where an input failed or none was found.

    Raises:
        GpoolError: The run can't begin, or its output can't be written.
        Stopped: It was asked to stop.
    """
    destination = parse_destination(
        options.output,
        options.format,
        options.stack,
        [spec.label for spec in specs],
        options.overwrite,
        options.resume,
    )
    _check_terminal(destination)
    with Scout(options.timeout) as scout:
        found = discover(
            named_inputs(options),
            options.keys,
            options.base,
            _own_paths(destination),
            scout.list_tree,
        )
    files = found.files
    if destination.kind != "directory":
        files = with_distinct_names(files)
    recipe = Recipe(
        poolings=tuple(specs),
        layout=options.layout,
        nan=options.nan,
        dtype=options.dtype,
        shape=options.shape,
        batched=options.stack or not found.alone,
    )
    missing = [Failed(file, "", error.message, error.hint) for file, error in found.missing]
    with Scout(options.timeout) as scout:
        planned = list(plan(files, destination, options.layout, options.access, scout))
        check_plan(planned, destination)
        check_far_outputs(planned, destination, scout)
        if options.report is not None:
            check_report(options.report, planned, destination)
        if options.copy_others and not any(destination.carries(one.file) for one in planned):
            raise UsageError(
                "--copy-others needs an HDF5 output to copy to", "write to .h5, or leave it out"
            )
        if options.dry_run:
            from gpool_cli.cli.dryrun import Plan, print_plan

            rest, done = _look(destination, planned, recipe, options)
            access, strict = options.access, options.strict
            return print_plan(
                Plan(rest, missing, destination, recipe, strict, access, len(done)), scout
            )
    with _record(destination, planned, recipe, options) as record:
        return _run(planned, record, missing, destination, recipe, found, options)


def _check_terminal(destination: Destination) -> None:
    row = destination.format
    if destination.kind == "stdout" and row and not row.text and sys.stdout.isatty():
        raise UsageError(
            f"{row.name} is binary, and standard output is a terminal",
            "pipe it into a program, choose -f csv, or name a file with -o",
        )


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
        options.follow_external,
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


def _run(
    planned: Sequence[Planned],
    record: Record | None,
    missing: Sequence[Failed],
    destination: Destination,
    recipe: Recipe,
    found: Found,
    options: RunOptions,
) -> int:
    style = WriteStyle(
        stack=destination.stack,
        batched=recipe.batched,
        recipe=recipe.describe(),
        several_poolings=len(recipe.poolings) > 1,
        several_inputs=destination.kind != "directory" and not found.alone,
        copy_others=options.copy_others,
    )
    sink = make_sink(destination, style, found.alone, record)
    rest = record.rest if record is not None else planned
    known: list[Failed | DoneBefore] = [*missing, *(record.done if record is not None else ())]
    count = worth_workers([one.file for one in rest], options.jobs or usable_cores())
    tally = Tally()
    with contextlib.ExitStack() as stack:
        carry = Carry(_passing_directory(stack) if options.copy_others else "")
        tasks = _tasks(rest, destination, recipe, carry, options, record)
        work = stack.enter_context(workers(count, options.timeout, options.max_memory))
        listeners = stack.enter_context(Listeners(recipe, destination, len(rest), options))
        try:
            run_tasks(tasks, sink, known, listeners.tell, tally, work)
        except (GpoolError, Stopped) as error:
            if isinstance(error, Stopped) and record is not None:
                error.hint = "go on with --resume"
            ended_by = error.word if isinstance(error, Stopped) else error.message
            listeners.write_report(tally, error.exit_code, ended_by)
            raise
        exit_code = 1 if tally.failed_files or not (tally.maps or tally.done_before) else 0
        listeners.write_report(tally, exit_code)
        if exit_code and not tally.maps and not tally.failed_files:
            print_error(nothing_found(found.words, "feature maps"))
        listeners.print_summary(tally)
    return exit_code


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
            record.journal.see(one.file)
        carried = carry if destination.carries(one.file) else None
        yield Task(one.file, recipe, options.strict, carried, options.access)


def _passing_directory(stack: contextlib.ExitStack) -> str:
    """A temporary directory for what passes from workers to the output."""
    import tempfile

    return stack.enter_context(tempfile.TemporaryDirectory(prefix="gpool-"))
