"""Maps of one shape and dtype that lie side by side in memory, pooled as the rows of a batch.

What comes of a map is the same, bit for bit, as when it is pooled alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from gpool_cli.batch.memory import working_bytes
from gpool_cli.batch.pieces import Piece, is_normalized, job_for
from gpool_cli.batch.tails import axes_with_tail, names_of_parts
from gpool_cli.errors import InputError
from gpool_cli.formats.interface import BLOCK_BYTES, Array
from gpool_cli.layout import Layout
from gpool_cli.model import ArrayInfo, Block, Result, Task
from gpool_cli.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Rows:
    """What came of the maps that were in memory together: a row for each.

    Attributes:
        piece: The rows.
        omitted: How many NaN of every map were left out.
    """

    piece: Piece
    omitted: tuple[int, ...]


def pool_rows(values: Array, layout: Layout, recipe: Recipe) -> list[Rows]:
    """Pool maps as a batch, or as several where much is to be known of each channel.

    Args:
        values: The maps, with an axis for them in front: C order, native byte order.
        layout: The meaning of the axes of one map, which has no batch axis.
        recipe: What to compute, and how.

    Raises:
        InputError: NaN is an error, or a result does not fit, or a channel has no value.
    """
    one = ArrayInfo("", values.shape[1:], values.dtype)
    most = max(1, BLOCK_BYTES // max(1, working_bytes(one, layout, recipe)))
    firsts = range(0, len(values), most)
    return [_pool_batch(values[first : first + most], layout, recipe) for first in firsts]


def _pool_batch(values: Array, layout: Layout, recipe: Recipe) -> Rows:
    shape = values.shape
    info = ArrayInfo("", shape, values.dtype)
    job = job_for(info, Layout(f"N{layout.axes}", layout.origin), recipe)
    # A kernel that looks at what is beside a cell is given every map by itself.
    step = len(values) if job.cells_stand_alone else 1

    def read() -> Iterator[tuple[Block, Array]]:
        for first in range(0, len(values), step):
            start, extent = (first, *(0,) * (len(shape) - 1)), (step, *shape[1:])
            yield Block(start, extent), values[first : first + step]

    piece = job.pool_at_once(read)
    if piece.empty:
        raise InputError("has channels without a value, which are counted map by map")
    omitted = np.zeros(len(values), np.int64)
    if piece.omitted:
        omitted = np.count_nonzero(np.isnan(values.reshape(len(values), -1)), axis=1)
    return Rows(piece, tuple(omitted.tolist()))


def results_of_rows(
    blocks: Sequence[Rows], task: Task, info: ArrayInfo, layout: Layout, parts: int = 1
) -> tuple[Result, ...]:
    """The results of all maps of some blocks, one per pooling, as of the first map.

    Args:
        blocks: What `pool_rows` gave.
        task: The file of the first map, and what was computed.
        info: The first map.
        layout: The meaning of its axes.
        parts: How many maps its file has.
    """
    columns = zip(*(block.piece.values for block in blocks), strict=True)
    axes = blocks[0].piece.axes
    if not task.recipe.batched:
        axes = axes.removeprefix("N")
    return tuple(
        Result(
            file=task.file,
            info=info,
            layout=layout,
            pooling=spec,
            values=np.concatenate(values) if len(values) > 1 else values[0],
            axes=axes_with_tail(spec, axes),
            parts_of_value=names_of_parts(spec, layout),
            omitted=sum(block.piece.omitted for block in blocks) if i == 0 else 0,
            clamped=sum(block.piece.clamped[i] for block in blocks),
            normalized=is_normalized(task.recipe, spec),
            first=i == 0,
            parts=parts,
        )
        for i, (spec, values) in enumerate(zip(task.recipe.poolings, columns, strict=True))
    )


def omitted_of_rows(blocks: Sequence[Rows]) -> tuple[int, ...]:
    """How many NaN of every map of some blocks were left out; empty where there were none."""
    omitted = tuple(chain.from_iterable(block.omitted for block in blocks))
    return omitted if any(omitted) else ()
