"""What ``--shard`` makes of a run: where its part goes, and what a part can't do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gpool_cli.batch.destination import Destination, check_on_disk
from gpool_cli.batch.shard import Shard
from gpool_cli.cli.options import RunOptions
from gpool_cli.errors import UsageError
from gpool_cli.model import STDIN, InputFile


def with_part(destination: Destination, shard: Shard) -> Destination:
    """The destination of a shard.

    Raises:
        UsageError: It has none that parts could be merged to.
    """
    if destination.kind not in ("file", "directory"):
        raise UsageError("--shard writes a part beside the output", "name a file or directory: -o")
    check_on_disk(destination.path, "a part of a run")
    return replace(destination, part=shard.part_of(destination.path))


def check_shard(files: Sequence[InputFile], options: RunOptions) -> None:
    """Refuse what a shard can't do.

    Raises:
        UsageError: An option or an input makes no sense for a part of a run.
    """
    if options.resume:
        raise UsageError(
            "--resume goes on with a directory, and --shard writes one part, whole or not at all",
            "make the part again, with --overwrite if it is there",
        )
    if options.copy_others:
        raise UsageError("--copy-others needs all at once", "leave out --shard")
    if any(file.path == STDIN for file in files):
        raise UsageError("standard input has no parts", "name files, or leave out --shard")
