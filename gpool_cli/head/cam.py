"""Class activation maps: where in a feature map a class was seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.head.weights import Array


def activation_map(
    blocks: Iterable[tuple[tuple[slice, ...], Array]],
    axes: str,
    shape: tuple[int, ...],
    weights: Array,
) -> Array:
    """The class activation map: at every place the sum over channels of weight times value.

    Args:
        blocks: All values, block by block: where a block lies, and what it holds.
        axes: One letter per axis of the blocks, without a batch; ``C`` is the channels.
        shape: The shape of the whole.
        weights: The weight of every channel for the class, D, float64.

    Returns:
        float64, with the axes that are not ``C`` in their order.
    """
    channel = axes.find("C")
    places = tuple(size for i, size in enumerate(shape) if i != channel)
    total = np.zeros(places)
    for box, values in blocks:
        wide = np.asarray(values, np.float64)
        if channel < 0:
            total[box] += wide * weights[0]
            continue
        part = weights[box[channel]]
        rest = (*box[:channel], *box[channel + 1 :])
        with np.errstate(all="ignore"):
            total[rest] += np.einsum("...d,d->...", np.moveaxis(wide, channel, -1), part)
    return total


def positive(values: Array) -> Array:
    """What speaks for the class; what speaks against it becomes 0, and NaN stays."""
    return np.maximum(values, 0)


def stretched(values: Array) -> Array:
    """Values stretched to 0..1 by their smallest and largest: (v - min) / (max - min).

    Returns:
        0 throughout where all are equal; NaN stays, and the others are stretched without it.

    Raises:
        InputError: There are infinities.
    """
    if np.isinf(values).any():
        raise InputError("has infinities in its activation map", "leave out --normalize")
    known = values[~np.isnan(values)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    span = high - low
    return cast(Array, (values - low) / (span if span > 0 else 1.0))


def resized(values: Array, size: tuple[int, int]) -> Array:
    """A map of another size, bilinear, with half-pixel centres and edges that go on as they are.

    The same as ``align_corners=False`` of PyTorch: what is smaller is sampled, not averaged.

    Args:
        values: H×W, float64.
        size: The new height and width.
    """
    for axis, length in enumerate(size):
        values = _resized_along(values, axis, length)
    return values


def _resized_along(values: Array, axis: int, length: int) -> Array:
    old = values.shape[axis]
    centres = (np.arange(length) + 0.5) * (old / length) - 0.5
    centres = np.clip(centres, 0, old - 1)
    before = np.floor(centres).astype(int)
    after = np.minimum(before + 1, old - 1)
    share = centres - before
    share = share[:, np.newaxis] if axis == 0 else share
    low, high = np.take(values, before, axis), np.take(values, after, axis)
    with np.errstate(all="ignore"):
        between = low * (1 - share) + high * share
    # Nothing of a value with no share: it may be infinite.
    return cast(Array, np.where(share == 0, low, between))
