"""One array, pooled in this process from its blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from gpool_cli.batch.counting import Beside
from gpool_cli.batch.kept import Kept
from gpool_cli.batch.pieces import Blocks, MapJob, Piece, Read, job_for
from gpool_cli.formats.interface import Array
from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, Part
from gpool_cli.recipe import Recipe

ReadParts = Callable[[Sequence[Part] | None], Blocks]
"""Gives the blocks of some parts, or all, in the axis order of memory, part after part."""


def pool_pieces(
    read: ReadParts,
    info: ArrayInfo,
    layout: Layout,
    recipe: Recipe,
    beside: Beside | None = None,
    once: bool = False,
) -> Iterator[Piece]:
    """Pool one array in this process.

    Args:
        read: Gives its blocks.
        info: Its shape and dtype.
        layout: The meaning of its axes.
        recipe: What to compute, and how.
        beside: Its mask and weights.
        once: All blocks can be read, and only once.

    Yields:
        Its pooled values: whole, or row by row in order.

    Raises:
        InputError: The blocks can't be read, NaN is an error, or a result does not fit its dtype.
    """
    job = job_for(info, layout, recipe)
    if not job.at_once:
        parts = _reads(job, read, once)
        yield from job.join(job.pool_part(part, which, beside) for which, part in parts)
    elif once and job.repeats:
        with Kept(read(None)) as kept:
            yield job.pool_at_once(kept.read, beside)
    else:
        yield job.pool_at_once(partial(read, None), beside)


def pool_blocks(read: ReadParts, info: ArrayInfo, layout: Layout, recipe: Recipe) -> list[Array]:
    """Pool one array into one result per pooling, in their order.

    Takes and raises what `pool_pieces` does.
    """
    pieces = pool_pieces(read, info, layout, recipe)
    return [np.concatenate(rows) for rows in zip(*(p.values for p in pieces), strict=True)]


def _reads(job: MapJob, read: ReadParts, once: bool) -> Iterator[tuple[Part, Read]]:
    """What gives the blocks of each part."""
    if job.repeats and not once:
        yield from ((part, partial(read, [part])) for part in job.parts)
        return
    for part, blocks in _by_part(read(None), job.parts):
        if job.repeats:
            with Kept(blocks) as kept:
                yield part, kept.read
        else:
            yield part, partial(iter, blocks)


def _by_part(blocks: Blocks, parts: Sequence[Part]) -> Iterator[tuple[Part, Blocks]]:
    """Group blocks that come part after part; each group is read before the next is asked for."""
    ahead = next(blocks, None)

    def within(part: Part) -> Blocks:
        nonlocal ahead
        while ahead is not None and ahead[0].start[part.axis] < part.last:
            yield ahead
            ahead = next(blocks, None)

    for part in parts:
        yield part, within(part)
