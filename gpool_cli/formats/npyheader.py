"""The header of an npy array: parsed from bounded text, never evaluated as code.

Source of the format: numpy's NEP 1, "A simple file format for NumPy arrays".
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.formats.dtypes import usable_dtype
from gpool_cli.layout import size_of
from gpool_cli.printable import printable

MAGIC = b"\x93NUMPY"

# What else files begin with: its name, and what to do about it.
_SAVE_AS_NPY = "save the array itself, with numpy.save"
_KNOWN = (
    (b"\x89PNG", "a PNG picture", _SAVE_AS_NPY),
    (b"\xff\xd8\xff", "a JPEG picture", _SAVE_AS_NPY),
    (b"GIF8", "a GIF picture", _SAVE_AS_NPY),
    (b"%PDF", "a PDF document", _SAVE_AS_NPY),
    (b"PK\x03\x04", "a zip archive, as npz is", "if numpy.savez wrote it, name it .npz"),
    (b"PK\x05\x06", "an empty zip archive", _SAVE_AS_NPY),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "name it .h5"),
    (b"\x1f\x8b", "a gzip file", "unpack it first, with gunzip"),
    (b"\x80\x02", "a pickle, as PyTorch writes", _SAVE_AS_NPY),
    (b"\x80\x03", "a pickle", _SAVE_AS_NPY),
    (b"\x80\x04", "a pickle", _SAVE_AS_NPY),
    (b"\x80\x05", "a pickle", _SAVE_AS_NPY),
    (b"<!DOCTYP", "an HTML page", "did its download fail?"),
    (b"<!doctyp", "an HTML page", "did its download fail?"),
    (b"<html", "an HTML page", "did its download fail?"),
)
_CONTAINERS = (b"PK\x03\x04", b"\x89HDF\r\n\x1a\n")

# As many bytes as numpy itself accepts: a longer header belongs to a structured type.
_LONGEST = 10_000
_MOST_AXES = 64
_PYTHON_2_LONG = re.compile(r"(\d)L\b")
_PLAIN = re.compile(
    r"\{'descr': '([<>|=]?[a-zA-Z]\d*)', 'fortran_order': (False|True), "
    r"'shape': \(((?:\d{1,19}, ?)*(?:\d{1,19},?)?)\),? *\}\s*"
)


@dataclass(frozen=True, eq=False)
class NpyHeader:
    """What an npy header says.

    Attributes:
        shape: The array's shape.
        fortran: The values lie in Fortran order.
        dtype: The stored dtype.
        refusal: Why the array can't be pooled; '' where it can.
        length: Bytes from the magic to the first value.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    refusal: str
    length: int

    @property
    def nbytes(self) -> int:
        """Bytes of the values."""
        return size_of(self.shape) * self.dtype.itemsize

    @property
    def memory_shape(self) -> tuple[int, ...]:
        """The shape in the axis order of memory."""
        return self.shape[::-1] if self.fortran else self.shape


def read_header(read: Callable[[int], bytes], piped: bool = False) -> NpyHeader | None:
    """Read one header.

    Args:
        read: Gives up to so many bytes, fewer only at the end.
        piped: They come from standard input.

    Returns:
        The header, or None where nothing is left to read.

    Raises:
        InputError: What is there is no npy header.
    """
    start = read(8)
    if not start:
        return None
    if start[:6] != MAGIC[: len(start)]:
        raise _no_npy(start, piped)
    if len(start) < 8:
        raise _truncated()
    version = start[6]
    if version not in (1, 2, 3):
        raise InputError(
            f"has npy format version {version}.{start[7]}", "versions 1 to 3 are known"
        )
    width = 2 if version == 1 else 4
    size = read(width)
    if len(size) < width:
        raise _truncated()
    length = int.from_bytes(size, "little")
    if length > _LONGEST:
        raise InputError(f"has an npy header of {length} bytes", "no plain array needs as much")
    raw = read(length)
    if len(raw) < length:
        raise _truncated()
    shape, fortran, dtype, refusal = _parsed(raw, "utf-8" if version == 3 else "latin-1")
    return NpyHeader(shape, fortran, dtype, refusal, 8 + width + length)


@lru_cache(maxsize=64)
def _parsed(raw: bytes, encoding: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], str]:
    """Shape, order, dtype and refusal; the files of a run have few headers between them."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        raise _damaged("is not UTF-8") from None
    with warnings.catch_warnings():
        # What Python or numpy would rather have spelt otherwise is nothing to tell the user.
        warnings.simplefilter("ignore")
        shape, fortran, descr = _fields(text)
        return shape, fortran, *_dtype(descr)


def _fields(text: str) -> tuple[tuple[int, ...], bool, Any]:
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        sizes = tuple(int(size) for size in plain[3].split(",") if size.strip())
        return _checked_shape(sizes), plain[2] == "True", plain[1]
    try:
        header = ast.literal_eval(_PYTHON_2_LONG.sub(r"\1", text).strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        raise _damaged("can't be parsed") from None
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise _damaged("has not the three keys descr, fortran_order, shape")
    shape, fortran = header["shape"], header["fortran_order"]
    if not isinstance(fortran, bool):
        raise _damaged("has a fortran_order that is neither True nor False")
    if not isinstance(shape, tuple) or any(type(size) is not int for size in shape):
        raise _damaged("has a shape that is no tuple of integers")
    return _checked_shape(shape), fortran, header["descr"]


def _checked_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) > _MOST_AXES or any(size < 0 or size >= 2**63 for size in shape):
        raise _damaged("has an impossible shape")
    return shape


def _dtype(descr: Any) -> tuple[np.dtype[Any], str]:
    """The dtype of a descr and why it can't be pooled; only plain ones are looked into."""
    if isinstance(descr, list):
        return np.dtype("V1"), "is compound"
    if not isinstance(descr, str):
        raise _damaged("has a descr that is no type")
    try:
        # What numpy itself writes of a float8, and does not read again.
        dtype = np.dtype("V1" if descr[-2:] == "f1" else descr)
    except (TypeError, ValueError, SyntaxError, OverflowError, MemoryError, RecursionError):
        raise _damaged(f"has the unknown type {printable(descr[:40])!r}") from None
    return dtype, usable_dtype(dtype)


def _damaged(what: str) -> InputError:
    return InputError(f"has a damaged npy header: it {what}", "save the array again")


def _truncated() -> InputError:
    return InputError("is truncated inside its npy header", "copy or save the file again")


def _no_npy(start: bytes, piped: bool) -> InputError:
    """Say what it is instead, as far as 8 bytes tell."""
    for magic, name, hint in _KNOWN:
        if start.startswith(magic):
            if piped and magic in _CONTAINERS:
                hint = "a pipe takes npy only: name the file instead"
            return InputError(f"is no npy file but {name}", hint)
    glimpse = "".join(chr(b) if 32 <= b < 127 else f"\\x{b:02x}" for b in start)
    if len(start) == 8 and all(32 <= b < 127 or b in b"\t\r\n" for b in start):
        return InputError("is no npy file but text", f"it starts with {glimpse}")
    return InputError("is no npy file", f"it starts with {glimpse}")
