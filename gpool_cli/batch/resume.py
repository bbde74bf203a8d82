"""Which inputs of a run are done: their outputs are there, whole, and made of what is there now."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable

from gpool_cli.batch.manifest import Entry, Output, Previous, key_of
from gpool_cli.batch.plan import Planned
from gpool_cli.events import DoneBefore
from gpool_cli.formats.inputs import stamp_at, stamp_of
from gpool_cli.formats.opening import isolated
from gpool_cli.model import STDIN, InputFile
from gpool_cli.stopping import check

_CHUNK = 1 << 20


def split_done(
    planned: Iterable[Planned], directory: str, previous: Previous, follow: bool
) -> tuple[list[Planned], list[DoneBefore]]:
    """Split a plan into what is to be done and what is done.

    Args:
        planned: The inputs.
        directory: Where their outputs go.
        previous: What is on record there, made with the parameters of this run.
        follow: Inputs lead to other files, whose changes nobody sees: such ones are done again.
    """
    rest: list[Planned] = []
    done: list[DoneBefore] = []
    for one in planned:
        check()
        entry = previous.entries.get(key_of(one.file))
        alone = not (follow and isolated(one.file.path))
        if alone and entry is not None and _holds(entry, one.file, directory):
            paths = (os.path.join(directory, output.path) for output in entry.outputs)
            done.append(DoneBefore(one.file, tuple(paths)))
        else:
            rest.append(one)
    return rest, done


def _holds(entry: Entry, file: InputFile, directory: str) -> bool:
    """Whether what is on record of an input is still so."""
    if file.path == STDIN or entry.keys != file.keys:
        return False
    try:
        return (
            (entry.size, entry.mtime_ns) == stamp_of(file)
            and all(stamp_at(path) == tuple(stamp) for path, *stamp in entry.beside)
            and all(is_whole(directory, output) for output in entry.outputs)
        )
    except (OSError, ValueError):
        return False  # What is wrong with it is said when it is its turn.


def is_whole(directory: str, output: Output) -> bool:
    """Whether an output is as it is on record.

    Raises:
        OSError: It is not there, or can't be read.
    """
    path = os.path.join(directory, output.path)
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode) or status.st_size != output.size:
        return False
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(_CHUNK):
            digest.update(part)
    return digest.hexdigest() == output.sha256
