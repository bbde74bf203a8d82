"""Maps as a CNN leaves them behind a ReLU: one block of them, which the data files repeat."""

from __future__ import annotations

import numpy as np

# So many maps are different from each other: enough to be larger than the caches of a core,
# few enough to be compressed in a second.
DISTINCT = 64


def relu_maps(count: int, shape: tuple[int, ...], channel_axis: int = -1) -> np.ndarray:
    """Make maps of about 70 % zeros; each channel fires more or less often, as trained ones do.

    Args:
        count: How many are wanted: so many are made, but no more than are to be different.
        shape: Of one map.
        channel_axis: Where the channels are in it.
    """
    numbers = np.random.default_rng(0)
    per_channel = [1] * len(shape)
    per_channel[channel_axis] = shape[channel_axis]
    offsets = numbers.normal(-0.6, 0.5, per_channel).astype(np.float32)
    values = numbers.standard_normal((min(count, DISTINCT), *shape), np.float32)
    values += offsets
    return np.maximum(values, 0, out=values)
