"""Which values a mask may have, and which a weights map."""

from __future__ import annotations

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.formats.interface import Array

_WEIGHTS = "weights are finite numbers of 0 or more"


def as_mask(values: Array) -> Array:
    """The values of a mask as bool: 1 counts, 0 does not.

    Raises:
        InputError: There is another value.
    """
    if values.dtype.kind == "b":
        return values
    valid: Array = np.equal(values, 1)
    wrong = ~valid & (values != 0)
    if wrong.any():
        worst = values[wrong].flat[0]
        hint = "1 counts, 0 does not"
        if worst == np.iinfo(np.uint8).max:
            hint = "save it as mask > 0: an image's white is 255"
        raise InputError(f"has the value {worst!s}, and a mask has 0 and 1 alone", hint)
    return valid


def as_weights(values: Array) -> Array:
    """The values of a weights map, as they are.

    Raises:
        InputError: One is negative, infinite or NaN.
    """
    if values.dtype.kind == "f":
        wrong = ~np.isfinite(values) | (values < 0)
        if wrong.any():
            raise InputError(f"has the weight {values[wrong].flat[0]!s}", _WEIGHTS)
    elif values.dtype.kind == "i" and values.min() < 0:
        raise InputError(f"has the weight {values.min()!s}", _WEIGHTS)
    return values
