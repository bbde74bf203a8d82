"""Where results are put while a run lives: one sink per kind of destination."""

from __future__ import annotations

from collections.abc import Mapping

from gpool_cli.batch.destination import Destination
from gpool_cli.batch.sinks.directory import DirectorySink
from gpool_cli.batch.sinks.file import FileSink
from gpool_cli.batch.sinks.interface import NoSink, Sink
from gpool_cli.batch.sinks.stdout import StdoutSink
from gpool_cli.formats.interface import WriteStyle


def make_sink(
    destination: Destination, style: WriteStyle, alone: bool, planned: Mapping[str, str]
) -> Sink:
    """The sink of a destination.

    Args:
        destination: Where results go.
        style: How they are written.
        alone: The only input is one file that the user named.
        planned: The outputs that the plan knows, in a directory, and the input of each.
    """
    if destination.kind == "directory":
        return DirectorySink(destination, style, planned)
    if destination.kind == "file":
        return FileSink(destination, style, alone)
    if destination.kind == "stdout":
        return StdoutSink(destination, style)
    return NoSink()
