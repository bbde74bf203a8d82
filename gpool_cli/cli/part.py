"""The part that one of many runs writes, and what it says of the others."""

from __future__ import annotations

import os
from collections.abc import Iterator

from gpool_cli.batch.masks import files_beside
from gpool_cli.batch.part import Beside, Head, Whole, digest_of, stamp_before
from gpool_cli.batch.plan import Planned
from gpool_cli.batch.shard import Shard
from gpool_cli.batch.sinks.part import PartSink
from gpool_cli.cli.options import RunOptions
from gpool_cli.cli.prepare import Prepared
from gpool_cli.model import InputFile
from gpool_cli.recipe import Recipe


def part_of(shard: Shard, prepared: Prepared, options: RunOptions) -> PartSink:
    """Where the results of a shard go."""
    whole = _whole(prepared, options)
    below = len(os.path.join(prepared.destination.path, ""))
    share = tuple(
        Planned(one.file, tuple(path[below:] for path in one.outputs))
        for one in shard.share(prepared.planned)
    )
    head = Head(
        shard=shard,
        whole=whole,
        planned=share,
        stamps=tuple(stamp_before(one.file) for one in share),
        beside=tuple(tuple(_beside(one.file, whole.recipe)) for one in share),
        aside=tuple(prepared.aside) if shard.number == 1 else (),
    )
    return PartSink(prepared.destination.part, head)


def _whole(prepared: Prepared, options: RunOptions) -> Whole:
    """What a part says of the run that it is of."""
    row = prepared.destination.format
    return Whole(
        recipe=prepared.recipe,
        style=prepared.style,
        kind=prepared.destination.kind,
        format=row.name if row is not None else None,
        alone=prepared.alone,
        strict=options.strict,
        follow=options.follow_external,
        view=options.view or "",
        count=len(prepared.planned),
        digest=digest_of(prepared.planned, prepared.aside),
    )


def _beside(file: InputFile, recipe: Recipe) -> Iterator[Beside]:
    for path in files_beside(file, recipe):
        stamp = stamp_before(InputFile(path, path))
        if stamp is not None:
            yield path, *stamp
