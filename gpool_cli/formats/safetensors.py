"""safetensors: a header of JSON, and tensors one behind the other, little-endian, in C order.

Source of the format: the safetensors project, "Format" in its README. The header is read here and
not by its library, which maps whole files into memory and reads a tensor by slices of Python.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.formats.flat import FlatFile, FlatReader, Places
from gpool_cli.formats.narrow import bits_of, wide_dtype
from gpool_cli.layout import size_of
from gpool_cli.model import ArrayInfo
from gpool_cli.printable import printable

# Room for a hundred thousand names; what JSON makes of it in memory is some ten times as much.
_LONGEST_HEADER = 16 << 20
_MOST_AXES = 64

# Every value in JSON has one of these before it: so many for a hundred thousand tensors.
_MOST = {b"{": 100_100, b"[": 200_100, b":": 500_000, b",": 2_000_000}

_DTYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BOOL": "?"},
    **{"I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"},
    **{"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1"},
}
_NARROW = {
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2": "float8_e5m2",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
}


class SafetensorsReader(FlatReader):
    """Reads the tensors of a file, each from its own place.

    Args:
        path: A regular file.
    """

    def find(self, file: FlatFile) -> Places:
        found = _tensors(file)
        if not found:
            raise InputError("holds no arrays", "there is no tensor in its header")
        return found


def _tensors(file: FlatFile) -> Places:
    """Every tensor by its name, with the place where it begins, in the order of the file."""
    length = int.from_bytes(file.read(0, 8), "little")
    if length > file.size - 8 or file.read(8, 1) != b"{":
        raise InputError(
            "is no safetensors file, or is truncated inside its header",
            "copy or save the file again",
        )
    if length > _LONGEST_HEADER:
        raise InputError(
            f"has a safetensors header of {length} bytes", "put fewer tensors into one file"
        )
    begin = 8 + length
    raw = file.read(8, length)
    if any(raw.count(mark) > most for mark, most in _MOST.items()):
        raise InputError("describes too many tensors", "put fewer tensors into one file")
    header = _parsed(raw)
    header.pop("__metadata__", None)
    found = [_tensor(name, said, begin) for name, said in header.items()]
    found.sort(key=lambda one: one[1:])
    place = begin
    for info, start, end in found:
        if start != place:
            raise _damaged(f"{info.dataset!r} does not begin where the tensor before it ends")
        place = end
    if place != file.size:
        raise _truncated(place - begin, file.size - begin)
    return {info.dataset: (info, start) for info, start, _ in found}


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        header = json.loads(raw, object_pairs_hook=_distinct)
    except (ValueError, RecursionError):
        raise _damaged("it is no JSON") from None
    if not isinstance(header, dict):
        raise _damaged("it is no object")
    return header


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs of an object, each name once: readers differ in which of two they believe."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _damaged("it has two entries of one name")
    return found


def _tensor(name: str, said: Any, begin: int) -> tuple[ArrayInfo, int, int]:
    """A tensor, and where it begins and ends in the file."""
    if not isinstance(said, dict) or set(said) != {"dtype", "shape", "data_offsets"}:
        raise _damaged(f"{name!r} has not the three keys dtype, shape, data_offsets")
    shape, offsets = _sizes(name, said["shape"]), _sizes(name, said["data_offsets"])
    if len(shape) > _MOST_AXES or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _damaged(f"{name!r} has an impossible shape or place")
    start, end = offsets
    info = _info(name, str(said["dtype"]), shape)
    if info.dtype is not None:
        itemsize = (bits_of(info.narrow) if info.narrow else info.dtype).itemsize
        if size_of(shape) * itemsize != end - start:
            raise _damaged(f"{name!r} has {end - start} bytes, its shape asks for others")
    return info, begin + start, begin + end


def _sizes(name: str, said: Any) -> tuple[int, ...]:
    if not isinstance(said, list) or any(
        type(size) is not int or not 0 <= size < 2**63 for size in said
    ):
        raise _damaged(f"{name!r} has a shape or a place that is no list of sizes")
    return tuple(said)


def _info(name: str, dtype: str, shape: tuple[int, ...]) -> ArrayInfo:
    if dtype in _NARROW:
        return ArrayInfo(name, shape, wide_dtype(), narrow=_NARROW[dtype])
    if dtype in _DTYPES:
        return ArrayInfo(name, shape, np.dtype(_DTYPES[dtype]))
    known = printable(dtype[:40])
    refusal = "is complex" if dtype == "C64" else f"is of the type {known}, which gpool can't read"
    return ArrayInfo(name, shape, None, refusal, type_name=known)


def _damaged(what: str) -> InputError:
    return InputError(
        f"has a damaged safetensors header: {printable(what[:200])}", "save the file again"
    )


def _truncated(due: int, there: int) -> InputError:
    if there > due:
        return InputError(f"has {there - due} bytes behind its tensors", "save the file again")
    return InputError(
        f"is truncated: its tensors take {due} bytes, {there} are there",
        "copy or save the file again",
    )
