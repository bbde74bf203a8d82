"""A run from its first event to its exit code, with what is said at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gpool_cli.batch.destination import Destination
from gpool_cli.cli.inputs import nothing_found
from gpool_cli.cli.listening import Listeners
from gpool_cli.errors import GpoolError, Stopped
from gpool_cli.report.lines import print_error
from gpool_cli.tally import Tally


def conduct(
    run: Callable[[], None],
    listeners: Listeners,
    tally: Tally,
    words: Sequence[str] | None,
    destination: Destination,
    go_on: str = "",
) -> int:
    """See a run through.

    Args:
        run: Does it.
        listeners: Who listens to it.
        tally: Its totals.
        words: The inputs as they were named, which it is an error to find nothing in; None where
            it is none.
        destination: Where its results go.
        go_on: How to go on with what is kept of it.

    Returns:
        The exit code: 0, or 1 where an input failed or none was found.

    Raises:
        GpoolError: Its output can't be written.
        Stopped: It was asked to stop.
    """
    try:
        run()
    except (GpoolError, Stopped) as error:
        if isinstance(error, Stopped):
            error.kept, error.hint = _what_is_kept(destination, go_on)
        ended_by = error.word if isinstance(error, Stopped) else error.message
        listeners.write_reports(tally, error.exit_code, ended_by)
        raise
    nothing = words is not None and not (tally.maps or tally.done_before)
    exit_code = 1 if tally.failed_files or nothing else 0
    listeners.write_reports(tally, exit_code)
    if nothing and not tally.failed_files and words is not None:
        print_error(nothing_found(words, "feature maps"))
    listeners.print_summary(tally)
    return exit_code


def _what_is_kept(destination: Destination, go_on: str) -> tuple[str, str]:
    """What becomes of what a run had finished when it was stopped, and what to do."""
    if destination.part:
        return "a part is written when it is whole", ""
    if destination.kind == "file":
        return "an output file is written when it is whole", "a directory keeps what is finished"
    if destination.kind == "directory":
        return "what was finished is kept", go_on
    return "", ""
