"""Which dtypes are those of feature maps, and stored values in the form that is computed with."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpool_cli.formats.interface import Array


def usable_dtype(dtype: np.dtype[Any]) -> str:
    """Why values of this dtype are no feature map; '' where they are."""
    if dtype.names is not None or dtype.subdtype is not None:
        return "is compound"
    if dtype.kind in "fiub" and dtype.itemsize <= 8:
        return ""
    words = {
        "O": "holds objects",
        "S": "holds strings",
        "U": "holds strings",
        "c": "is complex",
        "M": "holds dates",
        "m": "holds time spans",
        "V": "is opaque",
        "f": "is wider than float64",
    }
    return words.get(dtype.kind, "is not numeric")


def as_native(values: Array) -> Array:
    """Values as they were stored, made native in place: byte order, and bool as 0 and 1.

    Args:
        values: A writable array that nothing else refers to.
    """
    if values.dtype.kind == "b":
        raw = values.view(np.uint8)
        np.minimum(raw, 1, out=raw)
        return values
    if values.dtype.isnative:
        return values
    return values.byteswap(inplace=True).view(values.dtype.newbyteorder("="))
