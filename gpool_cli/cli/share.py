"""``--shard`` at work: what one of many runs does, and what its part says of the others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gpool_cli.batch.destination import Destination, check_on_disk
from gpool_cli.batch.masks import files_beside
from gpool_cli.batch.part import Beside, Head, Whole, digest_of, stamp_before
from gpool_cli.batch.plan import Planned
from gpool_cli.batch.shard import Shard
from gpool_cli.batch.sinks.part import PartSink
from gpool_cli.cli.options import RunOptions
from gpool_cli.errors import UsageError
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import STDIN, Failed, InputFile, Skipped
from gpool_cli.recipe import Recipe


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


def whole_of(
    planned: Sequence[Planned],
    aside: Sequence[Failed | Skipped],
    destination: Destination,
    recipe: Recipe,
    style: WriteStyle,
    alone: bool,
    options: RunOptions,
) -> Whole:
    """What a part says of the run that it is of."""
    return Whole(
        recipe=recipe,
        style=style,
        kind=destination.kind,
        format=destination.format.name if destination.format is not None else None,
        alone=alone,
        strict=options.strict,
        follow=options.follow_external,
        view=options.view or "",
        count=len(planned),
        digest=digest_of(planned, aside),
    )


def part_sink(
    shard: Shard,
    whole: Whole,
    planned: Sequence[Planned],
    aside: Sequence[Failed | Skipped],
    destination: Destination,
) -> PartSink:
    """Where the results of a shard go."""
    below = len(os.path.join(destination.path, ""))
    share = tuple(
        Planned(one.file, tuple(path[below:] for path in one.outputs))
        for one in shard.share(planned)
    )
    head = Head(
        shard=shard,
        whole=whole,
        planned=share,
        stamps=tuple(stamp_before(one.file) for one in share),
        beside=tuple(tuple(_beside(one.file, whole.recipe)) for one in share),
        aside=tuple(aside) if shard.number == 1 else (),
    )
    return PartSink(destination.part, head)


def _beside(file: InputFile, recipe: Recipe) -> Iterator[Beside]:
    for path in files_beside(file, recipe):
        stamp = stamp_before(InputFile(path, path))
        if stamp is not None:
            yield path, *stamp
