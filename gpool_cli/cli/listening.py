"""Who listens to a run: the summary, the warnings, the progress bar, and the reports."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gpool_cli.batch.destination import Destination
from gpool_cli.cli.options import SayOptions
from gpool_cli.events import Event, Together
from gpool_cli.model import Failed, Warned
from gpool_cli.printable import printable
from gpool_cli.recipe import Recipe
from gpool_cli.report.lines import Warnings, print_failure
from gpool_cli.report.progress import ProgressBar
from gpool_cli.report.summary import STANDARD_OUTPUT, Summary
from gpool_cli.tally import Tally

if TYPE_CHECKING:
    from gpool_cli.cli.runreport import RunReport


class Listeners:
    """Passes on what happens. A context manager for what a run needs while it lives.

    Args:
        recipe: What was asked for.
        destination: Where the results go.
        total: How many files are worked on.
        options: How much is said, and where reports go.
    """

    def __init__(
        self, recipe: Recipe, destination: Destination, total: int, options: SayOptions
    ) -> None:
        self._options = options
        self._stream = sys.stderr if destination.kind == "stdout" else sys.stdout
        self._summary = _summary(recipe, destination)
        self._warnings = Warnings()
        self._bar = ProgressBar(total, not options.quiet)
        self._reports = _new_reports(recipe, options)

    def tell(self, event: Event) -> None:
        """Pass on what happened."""
        if isinstance(event, Failed):
            print_failure(event)
        elif isinstance(event, Warned):
            self._warnings.add(event)
        elif isinstance(event, Together):
            for warning in event.alike.warnings():
                self._warnings.add(warning)
        for report in self._reports:
            report.add(event)
        self._summary.add(event)
        self._bar.add(event)

    @property
    def attentive(self) -> bool:
        """Whether a report or the table is made of what is told of results."""
        shown = self._options.summary == "full" and not self._options.quiet
        return bool(self._reports) or shown

    @property
    def sketched(self) -> bool:
        """Whether somebody wants to know what results look like."""
        return any(report.sketched for report in self._reports)

    def write_reports(self, tally: Tally, exit_code: int, ended_by: str = "") -> None:
        """Write the reports that are wanted: how the run ends, and what ended it early.

        Raises:
            OutputError: One can't be written.
        """
        if not self._reports:
            return
        from gpool_cli.report.records.interface import Ending

        for report in self._reports:
            report.write(Ending(tally, exit_code, ended_by))

    def print_summary(self, tally: Tally) -> None:
        """Print the warnings and the summary, as much of it as is wanted."""
        if self._options.quiet:
            return
        self._bar.end()
        self._warnings.print()
        if not tally.files and not tally.done_before:
            return
        if self._options.summary == "full":
            self._summary.print_full(self._stream, tally)
        elif self._options.summary == "short":
            self._summary.print_short(self._stream, tally)

    def __enter__(self) -> Listeners:
        self._bar.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._bar.__exit__(*details)
        for report in self._reports:
            report.close()


def _new_reports(recipe: Recipe, options: SayOptions) -> list[RunReport]:
    if not options.reports:
        return []
    from gpool_cli.cli.runreport import RunReport  # Few runs need what it is made of.

    return [RunReport(path, recipe) for path in options.reports]


def _summary(recipe: Recipe, destination: Destination) -> Summary:
    alone, where = destination.kind == "nowhere", _place_text(destination)
    if not recipe.activation:
        return Summary(alone, where)
    from gpool_cli.report.confidences import ConfidenceSummary

    return ConfidenceSummary(alone, where, recipe.activation)


def _place_text(destination: Destination) -> str:
    """Where results go, as a person reads it."""
    if destination.part:
        return printable(destination.part)
    if destination.kind == "stdout":
        return STANDARD_OUTPUT
    if destination.kind == "file":
        return ", ".join(map(printable, destination.results_of_file()))
    return printable(destination.path)
