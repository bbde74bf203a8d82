"""What the work on a map takes of memory: told before any of it is read, from its header alone."""

from __future__ import annotations

import math

from gpool_cli.batch.pieces import job_for
from gpool_cli.batch.windows import KEPT_BYTES
from gpool_cli.errors import InputError
from gpool_cli.layout import Layout, shape_text
from gpool_cli.model import ArrayInfo
from gpool_cli.printable import printable
from gpool_cli.quantities import bytes_text
from gpool_cli.recipe import Recipe

# What a block adds to what is known of a cell, and the results.
_CELL_BYTES = 40

# Results so long do not come back from a worker in one answer.
_LONG = 32 << 20


def working_bytes(info: ArrayInfo, layout: Layout, recipe: Recipe) -> int:
    """What one part of a map takes: a chunk, stored and decoded; its channels' state; its mask."""
    beside = KEPT_BYTES if recipe.has_companions else 0
    return 2 * info.chunk_bytes + _state_bytes(info, layout, recipe) + beside


def is_long(info: ArrayInfo, layout: Layout, recipe: Recipe) -> bool:
    """Whether the results of a map are too long for one answer."""
    return math.prod(layout.output_shape(info.shape, recipe.shape)) * 8 > _LONG


def answer_bytes(info: ArrayInfo, layout: Layout, recipe: Recipe) -> int:
    """About what the results of a map take."""
    return math.prod(layout.output_shape(info.shape, recipe.shape)) * 8 * len(recipe.poolings)


def check_memory(
    info: ArrayInfo, layout: Layout, recipe: Recipe, most: int, rechunk: str = ""
) -> None:
    """Refuse what can't be done within so many bytes.

    Args:
        info: The map.
        layout: The meaning of its axes.
        recipe: What is computed.
        most: The bytes.
        rechunk: The command that makes chunks of a dataset smaller; '' where there is none.

    Raises:
        InputError: A chunk, or what is known of the channels, takes more.
    """
    chunk, state = info.chunk_bytes, _state_bytes(info, layout, recipe)
    if chunk > most:
        raise InputError(
            f"has chunks of {shape_text(info.chunks or ())}, {bytes_text(chunk)} each, "
            f"which is more than --max-memory",
            f"give it more with --max-memory, or {_how_to_rechunk(info, rechunk)}",
        )
    if state > most:
        raise InputError(
            f"has so many channels that {bytes_text(state)} are needed, more than --max-memory",
            "is the layout right? if so, give it more with --max-memory",
        )


def _state_bytes(info: ArrayInfo, layout: Layout, recipe: Recipe) -> int:
    """What is known of the channels while a part is pooled, where it is more than a part's."""
    job = job_for(info, layout, recipe)
    return 0 if job.by_rows else job.cells * (_CELL_BYTES + job.cell_bytes)


def _how_to_rechunk(info: ArrayInfo, rechunk: str) -> str:
    if not rechunk:
        return f"write it again in chunks of {_smaller(info)}"
    command = rechunk.format(dataset=printable(info.dataset), chunk=_smaller(info))
    return f"rewrite the file in smaller ones with: {command}"


def _smaller(info: ArrayInfo) -> str:
    """A chunk of a megabyte at most, cut along the first axes, as h5repack takes it."""
    chunks = list(info.chunks or ())
    itemsize = info.dtype.itemsize if info.dtype is not None else 1
    for axis in range(len(chunks)):
        while chunks[axis] > 1 and math.prod(chunks) * itemsize > 1 << 20:
            chunks[axis] = -(-chunks[axis] // 2)
    return "x".join(map(str, chunks))
