"""``gpool merge`` at work: the outcomes of all parts, put where one run would have put them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gpool_cli.access import Access
from gpool_cli.batch.destination import Destination, check_on_disk, parse_destination
from gpool_cli.batch.merge import open_parts, outcomes_of_parts
from gpool_cli.batch.part import Part, Whole
from gpool_cli.batch.plan import Planned, check_beside, check_existing, check_reports
from gpool_cli.batch.run import take_outcomes
from gpool_cli.batch.sinks import make_sink
from gpool_cli.cli.conduct import conduct
from gpool_cli.cli.listening import Listeners
from gpool_cli.cli.mergeoptions import MergeOptions
from gpool_cli.errors import UsageError
from gpool_cli.printable import printable
from gpool_cli.tally import Tally

if TYPE_CHECKING:
    from gpool_cli.batch.record import Record


def join(options: MergeOptions) -> int:
    """Merge parts.

    Returns:
        The exit code that one run would have had.

    Raises:
        GpoolError: The parts don't make a whole, or the output can't be written.
        Stopped: It was asked to stop.
    """
    parts = open_parts(options.parts)
    whole = parts[0].head.whole
    destination = _destination(whole, options)
    planned = _planned(parts, destination)
    check_beside(planned, destination, options.reports, options.parts)
    check_reports(options.reports, planned, destination)
    with _record(destination, planned, whole) as record:
        if record is not None:
            _pass_stamps(parts, record)
        sink = make_sink(destination, whole.style, whole.alone, record)
        tally = Tally()
        known = [said for part in parts for said in part.head.aside]
        with Listeners(whole.recipe, destination, len(planned), options) as listeners:
            outcomes = outcomes_of_parts(parts)
            return conduct(
                lambda: take_outcomes(outcomes, sink, known, listeners, tally),
                listeners,
                tally,
                options.parts,
                destination,
            )


def _destination(whole: Whole, options: MergeOptions) -> Destination:
    """Where the results go, which must be of the kind that the parts were made for."""
    check_on_disk(options.output, "what parts are merged to")
    labels = [spec.label for spec in whole.recipe.poolings]
    in_directory = whole.format if whole.kind == "directory" else None
    destination = parse_destination(options.output, None, False, labels, options.overwrite)
    found = destination.format.name if destination.format is not None else None
    if destination.kind != whole.kind or (whole.kind == "file" and found != whole.format):
        wanted = "a directory" if whole.kind == "directory" else f"a .{whole.format} file"
        raise UsageError(
            f"the parts were made for {wanted}, and -o {printable(options.output)} is none",
            "name such an output, or make the parts again",
        )
    stack = whole.style.stack
    return parse_destination(options.output, in_directory, stack, labels, options.overwrite)


def _planned(parts: Sequence[Part], destination: Destination) -> list[Planned]:
    return [
        Planned(one.file, tuple(os.path.join(destination.path, path) for path in one.outputs))
        for part in parts
        for one in part.head.planned
    ]


@contextlib.contextmanager
def _record(
    destination: Destination, planned: Sequence[Planned], whole: Whole
) -> Iterator[Record | None]:
    """Hold the directory that is written into; there is none to hold for a file."""
    if destination.kind != "directory":
        check_existing(planned, destination)
        yield None
        return
    from gpool_cli.batch.manifest import parameters_of
    from gpool_cli.batch.record import held_directory

    access = Access(follow=whole.follow, view=whole.view)
    parameters = parameters_of(whole.recipe, whole.format, False, whole.strict, access)
    with held_directory(destination, planned, parameters) as record:
        yield record


def _pass_stamps(parts: Sequence[Part], record: Record) -> None:
    for part in parts:
        head = part.head
        for one, stamp, beside in zip(head.planned, head.stamps, head.beside, strict=True):
            if stamp is not None:
                record.journal.saw(one.file, stamp, beside)
