"""Class activation maps: where in a feature map a class was seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.head.weights import Array

Box = tuple[tuple[int, int, int], Array]


def activation_map(boxes: Iterable[Box], size: tuple[int, int], weights: Array) -> Array:
    """The class activation map: at every place the sum over channels of weight times value.

    Args:
        boxes: All parts of a map: the first row, column and channel, and values of shape
            (H, W, C).
        size: The rows and columns of the map.
        weights: The weight of every channel for the class, D, float64.

    Returns:
        Rows × columns, float64.
    """
    total = np.zeros(size)
    for (row, column, channel), values in boxes:
        height, width, channels = values.shape
        part = weights[channel : channel + channels]
        with np.errstate(all="ignore"):
            seen = np.einsum("hwc,c->hw", values.astype(np.float64), part)
            total[row : row + height, column : column + width] += seen
    return total


def channel_map(boxes: Iterable[Box], size: tuple[int, int], wanted: int) -> Array:
    """One channel of a map: the activation map where the channels are the classes.

    Args:
        boxes: As for `activation_map`; only those with the channel are looked at.
        size: The rows and columns of the map.
        wanted: The channel.

    Returns:
        Rows × columns, float64.
    """
    total = np.zeros(size)
    for (row, column, channel), values in boxes:
        height, width, channels = values.shape
        if channel <= wanted < channel + channels:
            seen = values[:, :, wanted - channel]
            total[row : row + height, column : column + width] = seen
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
