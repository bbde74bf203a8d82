"""The totals of a run: what it came to, and what was special about the values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from gpool_cli.quantities import bytes_text, count_text, seconds_text
from gpool_cli.report.table import wrapped
from gpool_cli.report.width import width_of
from gpool_cli.tally import Tally


def print_totals(stream: TextIO, tally: Tally, more: Sequence[str] = ()) -> None:
    """Print the totals; on a terminal with the time, and broken between their parts.

    Args:
        stream: Where to.
        tally: What the run came to.
        more: What else stands in the first line.
    """
    width = width_of(stream) if stream.isatty() else None
    for parts in ([*_totals(tally, stream.isatty()), *more], _special_values(tally)):
        for line in wrapped(parts, width):
            print(line, file=stream)


def _totals(tally: Tally, timed: bool) -> list[str]:
    """The totals; with the time, but for files and pipes: there the same run says the same."""
    parts = [
        f"{count_text(tally.maps, 'map')} of {count_text(tally.files, 'file')}",
        f"{bytes_text(tally.bytes_in)} in",
    ]
    if tally.bytes_out:
        parts.append(f"{bytes_text(tally.bytes_out)} out")
    if timed:
        parts.append(seconds_text(tally.seconds))
    if timed and tally.seconds > 0 and tally.bytes_in:
        parts.append(f"{bytes_text(tally.bytes_in / tally.seconds)}/s")
    if tally.skipped:
        parts.append(f"{tally.skipped:,} skipped")
    if tally.done_before:
        parts.append(f"{tally.done_before:,} done before")
    parts.append(f"{tally.failed_files:,} failed")
    return parts


def _special_values(tally: Tally) -> list[str]:
    # Nobody has seen the results of an earlier run.
    zero_channels = 0 if tally.done_before else tally.zero_channels
    said = (
        (zero_channels, f"{_channels_text(tally)} 0 in every result"),
        (tally.nan_values, f"{tally.nan_values:,} NaN in the results"),
        (tally.inf_values, f"{count_text(tally.inf_values, 'infinite value')} in the results"),
        (tally.omitted, f"{tally.omitted:,} NaN of the inputs left out"),
        (tally.masked, f"{count_text(tally.masked, 'value')} of the inputs masked or missing"),
        (
            tally.empty_channels,
            f"{count_text(tally.empty_channels, 'channel')} without any valid value",
        ),
        (tally.clamped, f"{count_text(tally.clamped, 'value')} below eps, taken as it by gem"),
        (tally.zero_vectors, f"{count_text(tally.zero_vectors, 'zero vector')} not normalized"),
    )
    return [text for count, text in said if count]


def _channels_text(tally: Tally) -> str:
    if tally.channels == 1:
        return "the only channel is"
    verb = "is" if tally.zero_channels == 1 else "are"
    return f"{tally.zero_channels:,} of {tally.channels:,} channels {verb}"
