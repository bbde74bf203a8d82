"""safetensors, byte by byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

NAMES = {
    **{"f8": "F64", "f4": "F32", "f2": "F16", "b1": "BOOL", "i8": "I64", "i4": "I32", "i2": "I16"},
    **{"i1": "I8", "u8": "U64", "u4": "U32", "u2": "U16", "u1": "U8"},
}


def file_of(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """A file of these arrays, in their order."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    values = b""
    for name, array in arrays.items():
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = entry(NAMES[array.dtype.str[1:]], array.shape, len(values), len(data))
        values += data
    return with_header(header, values)


def entry(dtype: str, shape: tuple[int, ...], start: int, length: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, start + length]}


def with_header(header: Any, values: bytes) -> bytes:
    raw = json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + values
