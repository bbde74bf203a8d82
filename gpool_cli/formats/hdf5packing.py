"""Fill values, scale and offset of HDF5 datasets, as netCDF and the CF conventions have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from h5py import h5a

from gpool_cli.formats.interface import Array
from gpool_cli.packing import Packing

_MISSING = (b"_FillValue", b"missing_value")
_SCALE, _OFFSET, _UNSIGNED = b"scale_factor", b"add_offset", b"_Unsigned"

# An attribute with more values than these is none that somebody made in earnest.
_MOST = 1000


def read_packing(dsid: Any, dtype: np.dtype[Any] | None) -> Packing | None:
    """What the attributes of a low-level dataset say of its stored values; None for nothing.

    Args:
        dsid: The dataset.
        dtype: Its dtype; None for one that holds no numbers.

    Raises:
        ValueError: They make no sense.
        OSError: They are damaged.
    """
    if dtype is None or dtype.kind not in "fiu":
        return None
    native = dtype.newbyteorder("=")
    unsigned = native.kind == "i" and _is_unsigned(dsid)
    missing = dict.fromkeys(_missing(dsid, native, unsigned))
    scale, offset = _number(dsid, _SCALE), _number(dsid, _OFFSET)
    packed = scale is not None or offset is not None
    if not missing and not packed and not unsigned:
        return None
    meant = np.dtype(f"u{native.itemsize}") if unsigned else native
    if packed:
        meant = np.result_type(meant, *(x.dtype for x in (scale, offset) if x is not None))
        meant = meant if meant.kind == "f" else np.dtype(np.float64)
    return Packing(
        missing=tuple(missing),
        scale=float(scale) if scale is not None else 1.0,
        offset=float(offset) if offset is not None else 0.0,
        dtype=meant.name if packed or unsigned else "",
        unsigned=unsigned,
    )


def _missing(dsid: Any, dtype: np.dtype[Any], unsigned: bool) -> Iterator[bytes]:
    """The stored values that stand for none; those that no stored value can be are left out.

    Where integers are meant without a sign, one may be said with or without it.
    """
    for name in _MISSING:
        for value in _read(dsid, name).reshape(-1):
            with np.errstate(all="ignore"):
                if dtype.kind == "f":
                    stored = value.astype(dtype)
                    fits = bool(np.isfinite(stored)) or not np.isfinite(value)
                else:
                    number = value.item()
                    lowest, highest = np.iinfo(dtype).min, np.iinfo(dtype).max
                    if unsigned and number == number and number > highest:
                        number -= highest - lowest + 1
                    fits = number == number and lowest <= number <= highest
                    fits = fits and int(number) == number
                    stored = dtype.type(int(number)) if fits else dtype.type(0)
            if fits:
                yield stored.tobytes()


def _number(dsid: Any, name: bytes) -> Any:
    """An attribute that is one finite number, as a numpy scalar; None where it is not there."""
    values = _read(dsid, name).reshape(-1)
    if not values.size:
        return None
    if values.size > 1 or not np.isfinite(values[0]):
        raise ValueError(f"its attribute {name.decode()} is no finite number")
    return values[0]


def _is_unsigned(dsid: Any) -> bool:
    if not h5a.exists(dsid, _UNSIGNED):
        return False
    word = h5py.Dataset(dsid).attrs[_UNSIGNED.decode()]
    return str(word.decode() if isinstance(word, bytes) else word).lower() == "true"


def _read(dsid: Any, name: bytes) -> Array:
    """The numbers of an attribute; none where it is not there or holds something else."""
    if not h5a.exists(dsid, name):
        return np.empty(0)
    attribute = h5a.open(dsid, name)
    if attribute.get_space().get_simple_extent_type() == h5py.h5s.NULL:
        return np.empty(0)
    if attribute.dtype.kind not in "fiu" or attribute.dtype.itemsize > 8:
        return np.empty(0)
    values = np.empty(attribute.shape, attribute.dtype)
    if values.size > _MOST:
        raise ValueError(f"its attribute {name.decode()} has {values.size:,} values")
    attribute.read(values, h5py.h5t.py_create(attribute.dtype))
    return values.astype(attribute.dtype.newbyteorder("="))
