"""What stands in the way of outputs in an object store."""

from __future__ import annotations

from collections.abc import Sequence

from gpool_cli.batch.destination import Destination
from gpool_cli.batch.plan import Planned
from gpool_cli.batch.workers import Scout
from gpool_cli.errors import UsageError
from gpool_cli.model import InputFile
from gpool_cli.printable import printable
from gpool_cli.remote import is_url


def check_far_outputs(planned: Sequence[Planned], destination: Destination, scout: Scout) -> None:
    """Refuse to replace what must not be replaced.

    Raises:
        UsageError: An output exists, or is an input.
        InputError: The store can't be asked.
    """
    if not is_url(destination.path):
        return
    outputs = [path for one in planned for path in one.outputs]
    if destination.kind == "file":
        outputs = destination.outputs_of_file()
    taken = {one.file.path for one in planned}.intersection(outputs)
    if taken:
        raise UsageError(f"the output {printable(min(taken))} is an input", "choose another -o")
    if destination.may_replace:
        return
    top = InputFile(destination.path, destination.path)
    existing: list[str] = scout.call(top, _existing, outputs, destination.path)
    if existing:
        more = f", as are {len(existing) - 1} more" if len(existing) > 1 else ""
        raise UsageError(
            f"the output {printable(existing[0])} is already there{more}",
            "replace it with --overwrite, or choose another -o",
        )


def _existing(outputs: Sequence[str], top: str) -> list[str]:
    """The outputs that are there; to be done by a worker."""
    from gpool_cli.remote.trees import existing

    return existing(outputs, top)
