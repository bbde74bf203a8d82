"""An output directory and what is on record of it, held for one run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gpool_cli.batch.destination import Destination
from gpool_cli.batch.journal import Journal
from gpool_cli.batch.lock import DirectoryLock
from gpool_cli.batch.manifest import (
    Parameters,
    Previous,
    check_forgotten,
    check_parameters,
    read_previous,
)
from gpool_cli.batch.plan import Planned, check_existing
from gpool_cli.batch.resume import split_done
from gpool_cli.events import DoneBefore
from gpool_cli.formats.atomic import output_errors


@dataclass(frozen=True)
class Record:
    """What a run knows of the directory that it writes into.

    Attributes:
        planned: All inputs in their order.
        rest: Those that are to be worked on.
        done: Those that an earlier run finished.
        journal: Where it is recorded what is finished.
        run: What the names of temporary files have in them.
    """

    planned: Sequence[Planned]
    rest: Sequence[Planned]
    done: Sequence[DoneBefore]
    journal: Journal
    run: str


@contextlib.contextmanager
def held_directory(
    destination: Destination, planned: Sequence[Planned], parameters: Parameters
) -> Iterator[Record]:
    """Hold a directory for a run.

    Args:
        destination: The directory.
        planned: All inputs of the run.
        parameters: What decides its outputs beside the inputs.

    Raises:
        UsageError: It has outputs that may not be replaced, or a run with other parameters is
            resumed, or would be forgotten.
        OutputError: Another run holds it, or it can't be written to.
    """
    with DirectoryLock(destination.path) as lock:
        previous = _previous(destination)
        rest, done = _rest_of(planned, destination, parameters, previous)
        files = (one.file for one in done)
        journal = Journal(destination.path, lock.run, parameters, previous, files)
        with contextlib.closing(journal):
            yield Record(planned, rest, done, journal, lock.run)


def look_at_directory(
    destination: Destination, planned: Sequence[Planned], parameters: Parameters
) -> tuple[Sequence[Planned], Sequence[DoneBefore]]:
    """What a run would have to do, and what is done; nothing is held, made or changed.

    Raises:
        UsageError: As for a run.
    """
    return _rest_of(planned, destination, parameters, _previous(destination))


def _rest_of(
    planned: Sequence[Planned], destination: Destination, parameters: Parameters, previous: Previous
) -> tuple[Sequence[Planned], Sequence[DoneBefore]]:
    """What is to be done, and what is done: nothing is, unless the run resumes.

    Raises:
        UsageError: As for `held_directory`.
    """
    if not destination.may_replace:
        check_forgotten(destination.path, parameters, previous)
    check_existing(planned, destination)
    if not destination.resume:
        return planned, ()
    check_parameters(destination.path, parameters, previous.parameters)
    follow = parameters["follow external"] is True
    return split_done(planned, destination.path, previous, follow)


def _previous(destination: Destination) -> Previous:
    with output_errors(os.path.join(destination.path, "")):
        return read_previous(destination.path)
