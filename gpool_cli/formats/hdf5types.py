"""The types of HDF5 datasets: what numpy makes of them, and why some can't be pooled."""

from __future__ import annotations

from typing import Any, NamedTuple

import h5py
import numpy as np
from h5py import h5t

from gpool_cli.formats.dtypes import usable_dtype

_KEPT = 16


class StoredType(NamedTuple):
    """A type in a file.

    Attributes:
        dtype: The numpy dtype, byte order included; None where there is none.
        refusal: Why it can't be pooled; ``""`` where it can.
        name: Its name where numpy has none for it.
        plain: Its bytes in the file are those of the dtype.
    """

    dtype: np.dtype[Any] | None
    refusal: str = ""
    name: str = ""
    plain: bool = False


class TypeTable:
    """Looks types up. Types are few and datasets many: HDF5 compares faster than h5py builds."""

    def __init__(self) -> None:
        self._known: list[tuple[Any, StoredType]] = []

    def of(self, dsid: Any) -> StoredType:
        """The type of a dataset."""
        tid = dsid.get_type()
        for known, found in self._known:
            if known.equal(tid):
                return found
        found = _look_up(tid)
        del self._known[_KEPT - 1 :]
        self._known.insert(0, (tid, found))
        return found


def _look_up(tid: Any) -> StoredType:
    try:
        dtype = tid.dtype
    except TypeError:
        return StoredType(None, "is of a type that numpy does not have", "unknown")
    if h5py.check_string_dtype(dtype) is not None:
        return StoredType(None, "holds strings", "string")
    if h5py.check_vlen_dtype(dtype) is not None:
        return StoredType(None, "holds lists", "list")
    if h5py.check_enum_dtype(dtype) is not None:
        return StoredType(None, "is an enumeration", "enum")
    if h5py.check_ref_dtype(dtype) is not None:
        return StoredType(None, "holds references", "reference")
    if dtype.names is not None:
        return StoredType(None, "is compound", "compound")
    return StoredType(dtype, usable_dtype(dtype), plain=_is_plain(tid, dtype))


def _is_plain(tid: Any, dtype: np.dtype[Any]) -> bool:
    """Whether a type is a number as numpy stores it: no odd precision, no padding bits."""
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        return False
    try:
        return bool(h5t.py_create(dtype).equal(tid))
    except (TypeError, ValueError, KeyError, OverflowError):
        return False
