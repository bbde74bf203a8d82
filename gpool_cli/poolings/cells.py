"""From a block of a map to cells: every kept axis outside or inside, the pooled ones between."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gpool_cli.layout import Layout
from gpool_cli.model import Block
from gpool_cli.poolings.interface import Array, Region


def grid_shape(shape: Sequence[int], layout: Layout) -> tuple[int, ...]:
    """The lengths of the kept axes; a map without any is one cell."""
    return tuple(shape[i] for i in layout.kept) or (1,)


def region_of(block: Block, layout: Layout) -> Region:
    """Where a block's cells lie in the grid of the kept axes, in the axis order of memory."""
    if not layout.kept:
        return (slice(0, 1),)
    return tuple(slice(block.start[i], block.start[i] + block.shape[i]) for i in layout.kept)


def as_cells(values: Array, layout: Layout) -> Array:
    """The values of a block as (outer, pooled, inner).

    A view where the pooled axes are neighbours, which they are in every common layout; a copy of
    the block where a kept axis stands between them (HCW).

    Args:
        values: A C-contiguous block, one axis per letter of the layout.
        layout: The layout in the axis order of memory.
    """
    # An axis of length 1 separates nothing.
    wide = [i for i, length in enumerate(values.shape) if length > 1]
    pooled = [i for i in layout.pooled if values.shape[i] > 1]
    if pooled and pooled != [i for i in wide if pooled[0] <= i <= pooled[-1]]:
        moved = values.transpose(*layout.kept, *layout.pooled)
        outer = math.prod(values.shape[i] for i in layout.kept)
        return moved.reshape(outer, -1, 1)
    if not pooled:
        return values.reshape(-1, 1, 1)
    outer = math.prod(values.shape[: pooled[0]])
    inner = math.prod(values.shape[pooled[-1] + 1 :])
    return values.reshape(outer, -1, inner)
