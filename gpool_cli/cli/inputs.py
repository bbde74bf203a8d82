"""From the words on the command line to the names of inputs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gpool_cli.batch.discover import read_list
from gpool_cli.cli.options import InputOptions
from gpool_cli.errors import InputError, UsageError
from gpool_cli.model import STDIN
from gpool_cli.printable import printable


def named_inputs(options: InputOptions) -> list[str]:
    """The inputs that were named, on the command line and in a list.

    Raises:
        UsageError: None was named, or the list can't be read.
    """
    if options.nul and options.files_from is None:
        raise UsageError("-0 says how --files-from separates names", "add --files-from LIST")
    names = list(options.inputs)
    if options.files_from is not None:
        if options.files_from == STDIN and STDIN in names:
            raise UsageError("standard input can't be both a list and a map", "name - once")
        names += read_list(_read(options.files_from), options.nul)
    elif not names:
        raise UsageError("no input was named", "name files or directories, or - for a pipe")
    return names


def nothing_found(names: Sequence[str], what: str) -> InputError:
    """What to say where the inputs hold none of what was looked for.

    Args:
        names: The inputs as they were named.
        what: What was looked for.
    """
    if not names:
        return InputError(f"no {what} were found: the list of inputs is empty")
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return InputError(
        f"no {what} were found in {printable(names[0])}{more}",
        "gpool formats lists what gpool reads; gpool info says what is in a file",
    )


def _read(path: str) -> bytes:
    if path == STDIN:
        return sys.stdin.buffer.read()
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UsageError(
            f"can't read the list {printable(path)}: {error.strerror}", "check --files-from"
        ) from error
