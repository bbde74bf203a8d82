"""Floats that numpy has no type for: bfloat16 and the float8 family, which ml_dtypes knows.

They are widened to float32 as they are read, which holds every one of them exactly: what pools
them knows nothing of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpool_cli.access import NARROW_FLOATS
from gpool_cli.formats.dtypes import as_native
from gpool_cli.formats.interface import Array
from gpool_cli.layout import size_of
from gpool_cli.model import ArrayInfo

# Half of bfloat16's 16 bits are those of a float32; the others have 8 bits.
_BITS = {name: np.dtype("u2" if name == "bfloat16" else "u1") for name in NARROW_FLOATS}


def bits_of(name: str) -> np.dtype[Any]:
    """The unsigned integers that a narrow float lies in a file as."""
    return _BITS[name]


def wide_dtype(big_endian: bool = False) -> np.dtype[Any]:
    """The dtype that stands for a narrow float in an `ArrayInfo`: float32 in its byte order."""
    return np.dtype(">f4" if big_endian else "<f4")


def stored_dtype(info: ArrayInfo) -> np.dtype[Any]:
    """The dtype of an array's values as they lie in the file."""
    assert info.dtype is not None
    if not info.narrow:
        return info.dtype
    return bits_of(info.narrow).newbyteorder("=" if info.dtype.isnative else "S")


def stored_bytes(info: ArrayInfo) -> int:
    """How many bytes an array's values take in the file when they are decoded."""
    return size_of(info.shape) * stored_dtype(info).itemsize


def as_read(stored: Array, narrow: str) -> Array:
    """Values as they were stored, made native; narrow floats become float32.

    Args:
        stored: A writable C-ordered array of `stored_dtype` that nothing else refers to.
        narrow: The narrow float that it holds, or ''.

    Raises:
        InputError: ml_dtypes is not installed.
    """
    native = as_native(stored)
    if not narrow:
        return native
    # Few files need what is beside the base install.
    from gpool_cli.formats.extras import load

    dtype = getattr(load("ml_dtypes", narrow), narrow)
    wide: Array = native.view(dtype).astype(np.float32)
    return wide
