"""What stands behind the axes of a layout in a result whose channels have several numbers each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpool_cli.formats.interface import Array
from gpool_cli.layout import Layout
from gpool_cli.poolings import load_pooling
from gpool_cli.recipe import PoolingSpec

# The axis of positions; no letter of a layout.
_POSITIONS = "P"


def joined_parts(tail: str, parts: Sequence[Array], axes: str) -> Array:
    """The numbers of every channel, each arranged by itself, as one array.

    Args:
        tail: What they are, as `gpool_cli.poolings.interface.Pooling` says it.
        parts: One array per number.
        axes: One letter per axis of each.
    """
    if tail == "channels" and "C" in axes:
        return np.concatenate(parts, axis=axes.index("C"))
    return np.stack(parts, axis=-1)


def axes_with_tail(spec: PoolingSpec, axes: str) -> str:
    """One letter per axis of a result, given those of a result with one number a channel."""
    tail = load_pooling(spec).tail
    if tail == "positions":
        return axes + _POSITIONS
    return axes + "C" if tail == "channels" and "C" not in axes else axes


def names_of_parts(spec: PoolingSpec, layout: Layout) -> tuple[str, ...]:
    """What the numbers of a channel are called, where they have an axis of their own."""
    if load_pooling(spec).tail != "positions":
        return ()
    return tuple(layout.axes[i] for i in layout.pooled)


def shape_with_tail(
    spec: PoolingSpec, shape: tuple[int, ...], axes: str, layout: Layout
) -> tuple[int, ...]:
    """The shape of a result, given that of a result with one number a channel."""
    tail = load_pooling(spec).tail
    if tail == "positions":
        return (*shape, len(layout.pooled))
    if tail == "channels" and "C" in axes:
        place = axes.index("C")
        return (*shape[:place], 2 * shape[place], *shape[place + 1 :])
    return (*shape, 2) if tail else shape
