"""A pooling command at work: from its options to a run, and from the run to an exit code."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

from gpool_cli.batch.destination import Destination, parse_destination
from gpool_cli.batch.discover import Found, discover, with_distinct_names
from gpool_cli.batch.jobs import usable_cores, worth_workers
from gpool_cli.batch.plan import Planned, check_outputs, check_report, plan
from gpool_cli.batch.run import run_tasks
from gpool_cli.batch.sinks import make_sink
from gpool_cli.cli.inputs import named_inputs, nothing_found
from gpool_cli.cli.options import RunOptions
from gpool_cli.errors import UsageError
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import Event, Failed, PoolingSpec, Recipe, Task, Together, Warned
from gpool_cli.report.lines import Warnings, print_error, print_failure
from gpool_cli.report.progress import ProgressBar
from gpool_cli.report.summary import Summary
from gpool_cli.tally import Tally


def execute(specs: Sequence[PoolingSpec], options: RunOptions) -> int:
    """Run poolings over inputs.

    Returns:
        The exit code: 0, or 1 where an input failed or none was found.

    Raises:
        GpoolError: The run can't begin, or its output can't be written.
    """
    labels = [spec.label for spec in specs]
    destination = parse_destination(
        options.output, options.format, options.stack, labels, options.overwrite
    )
    _check_terminal(destination)
    found = discover(named_inputs(options), options.keys, options.base, _own_paths(destination))
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
    planned = list(plan(files, destination, options.layout))
    check_outputs(planned, destination)
    if options.report is not None:
        check_report(options.report, planned, destination)
    missing = [Failed(file, "", error.message, error.hint) for file, error in found.missing]
    if options.dry_run:
        from gpool_cli.cli.dryrun import print_plan

        return print_plan(planned, missing, destination, recipe, options.strict)
    return _run(planned, missing, destination, recipe, found, options)


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


def _run(
    planned: Sequence[Planned],
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
    known = {path: one.file.path for one in planned for path in one.outputs}
    sink = make_sink(destination, style, found.alone, known)
    jobs = worth_workers((one.file for one in planned), options.jobs or usable_cores())
    tasks = (Task(one.file, recipe, options.strict) for one in planned)
    summary = Summary(preview=destination.kind == "nowhere")
    warnings = Warnings()
    with contextlib.ExitStack() as stack:
        report = None
        if options.report is not None:
            from gpool_cli.batch.runreport import RunReport

            report = stack.enter_context(contextlib.closing(RunReport(recipe)))

        def listen(event: Event) -> None:
            if isinstance(event, Failed):
                print_failure(event)
            elif isinstance(event, Warned):
                warnings.add(event)
            elif isinstance(event, Together):
                for warning in event.alike.warnings():
                    warnings.add(warning)
            if report is not None:
                report.add(event)
            summary.add(event)
            bar.add(event)

        with ProgressBar(len(planned), not options.quiet) as bar:
            tally = run_tasks(tasks, sink, missing, listen, jobs)
        exit_code = 1 if tally.failed_files or not tally.maps else 0
        if report is not None and options.report is not None:
            report.write(options.report, tally, exit_code)
    if not tally.maps and not tally.failed_files:
        print_error(nothing_found(found.words, "feature maps"))
    if not options.quiet:
        warnings.print()
    if tally.files and not options.quiet:
        _print_summary(summary, tally, destination, options.summary)
    return exit_code


def _print_summary(summary: Summary, tally: Tally, destination: Destination, style: str) -> None:
    stream = sys.stderr if destination.kind == "stdout" else sys.stdout
    if style == "full":
        summary.print_full(stream, tally)
    elif style == "short":
        summary.print_short(stream, tally)
