"""Results as HDF5 datasets, made with HDF5's own calls: there may be many, and small ones.

What all of them have alike (types, spaces, settings) is made once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5ds, h5p, h5s, h5t

from gpool_cli.formats.interface import Array
from gpool_cli.layout import size_of
from gpool_cli.model import Result

# Values of so many bytes stand in the header of their dataset, which saves a write of their own.
_SMALL = 8 << 10


class ResultMaker:
    """Makes the datasets of results."""

    def __init__(self) -> None:
        self._how, self._how_small = _plain(), _plain()
        self._how_small.set_layout(h5d.COMPACT)
        self._text = h5t.py_create(h5py.string_dtype(), logical=True)
        self._text_in_memory = h5t.py_create(h5py.string_dtype())
        self._one = h5s.create_simple(())

    def create(self, group: Any, name: bytes, result: Result) -> Any:
        """Make the low-level dataset of a result, which has no values yet."""
        kind, space = _kind(result.values.dtype), h5s.create_simple(result.shape)
        small = size_of(result.shape) * result.values.itemsize <= _SMALL
        how = self._how_small if small else self._how
        return h5d.create(group, name, kind, space, dcpl=how)

    def describe(self, dataset: Any, result: Result) -> None:
        """Say beside the values what they are; this goes before what is there of the input."""
        taken = h5a.get_num_attrs(dataset) > 0
        for name, text in (
            (b"pooling", result.pooling.label),
            (b"layout", result.layout.axes),
            (b"input_dtype", result.info.dtype_name),
        ):
            attribute = _created(dataset, name, self._text, self._one, taken)
            attribute.write(_text(text), mtype=self._text_in_memory)
        shape = np.array(result.info.shape, np.int64)
        space = h5s.create_simple(shape.shape)
        _created(dataset, b"input_shape", _kind(shape.dtype), space, taken).write(shape)
        for i, letter in enumerate(result.axes):
            h5ds.set_label(dataset, i, letter.encode())


def _plain() -> Any:
    how = h5p.create(h5p.DATASET_CREATE)
    how.set_obj_track_times(False)
    return how


@lru_cache(maxsize=64)
def _kind(dtype: np.dtype[Any]) -> Any:
    return h5t.py_create(dtype, logical=True)


def _created(dataset: Any, name: bytes, kind: Any, space: Any, taken: bool) -> Any:
    """A new attribute, in place of one of that name."""
    if taken and h5a.exists(dataset, name):
        h5a.delete(dataset, name)
    return h5a.create(dataset, name, kind, space)


@lru_cache(maxsize=64)
def _text(text: str) -> Array:
    return np.array(text, h5py.string_dtype())


def write_rows(dataset: Any, result: Result) -> None:
    """Write the values of a result, or of a piece of one, to its place in the dataset."""
    values = np.ascontiguousarray(result.values)
    if result.rows is None:
        dataset.write(h5s.ALL, h5s.ALL, values)
        return
    space = dataset.get_space()
    space.select_hyperslab((result.start, *(0,) * (values.ndim - 1)), values.shape)
    dataset.write(h5s.create_simple(values.shape), space, values)
