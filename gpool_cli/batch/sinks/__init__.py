"""Where results are put while a run lives: one sink per kind of destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpool_cli.batch.destination import Destination
from gpool_cli.batch.sinks.interface import NoSink, Sink
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.remote import is_url

if TYPE_CHECKING:
    from gpool_cli.batch.record import Record


def make_sink(
    destination: Destination, style: WriteStyle, alone: bool, record: Record | None
) -> Sink:
    """The sink of a destination; only what it is made of is imported.

    Args:
        destination: Where results go.
        style: How they are written.
        alone: The only input is one file that the user named.
        record: The directory, where that is the destination.
    """
    if is_url(destination.path):
        from gpool_cli.batch.sinks.far import FarDirectorySink, FarFileSink

        if destination.kind == "file":
            return FarFileSink(destination, style, alone)
        return FarDirectorySink(destination, style)
    if record is not None:
        from gpool_cli.batch.sinks.directory import DirectorySink

        return DirectorySink(destination, style, record)
    if destination.kind == "file":
        from gpool_cli.batch.sinks.file import FileSink

        return FileSink(destination, style, alone)
    if destination.kind == "stdout":
        from gpool_cli.batch.sinks.stdout import StdoutSink

        return StdoutSink(destination, style)
    return NoSink()
