"""An array as the output of a command: refused before any work, and whole or not there."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gpool_cli.batch.destination import Destination, check_on_disk, parse_destination
from gpool_cli.batch.plan import Planned, check_existing
from gpool_cli.batch.sinks import make_sink
from gpool_cli.errors import UsageError
from gpool_cli.formats import TABLE
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import InputFile, Result
from gpool_cli.printable import printable


def check_array_output(path: str, files: Sequence[InputFile], overwrite: bool) -> None:
    """Refuse an output that holds no array, or must not be replaced.

    Args:
        path: What ``-o`` names.
        files: The inputs.
        overwrite: It may be replaced.

    Raises:
        UsageError: It is so.
    """
    check_on_disk(path, "one array")
    destination = _destination(path, overwrite)
    if destination.format is None or destination.format.text:
        known = " ".join(row.suffixes[0] for row in TABLE if row.writer and not row.text)
        raise UsageError(
            f"the output {printable(path)} is no file for one array", f"name a file: {known} .png"
        )
    if destination.kind == "stdout" and sys.stdout.isatty():
        raise UsageError(
            "npy is binary, and standard output is a terminal", "pipe it, or name a file with -o"
        )
    check_existing([Planned(file, ()) for file in files], destination)


def write_array(path: str, result: Result, overwrite: bool) -> None:
    """Write one result where `check_array_output` found nothing in the way.

    Raises:
        OutputError: It can't be written.
    """
    sink = make_sink(
        _destination(path, overwrite), WriteStyle(recipe=result.pooling.label), True, None
    )
    try:
        sink.begin(result.file)
        sink.add(result)
        sink.end(failed=False)
        sink.finish(failed=False)
    except BaseException:
        sink.discard()
        raise
    finally:
        sink.close()


def _destination(path: str, overwrite: bool) -> Destination:
    return parse_destination(path, None, False, ["cam"], overwrite)
