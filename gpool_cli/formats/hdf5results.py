"""Results as HDF5 datasets, made with HDF5's own calls: there may be many, and small ones.

What many of them have alike is made once.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

import h5py
import numpy as np
from h5py import h5a, h5d, h5ds, h5o, h5p, h5s, h5t

from gpool_cli.formats.interface import Array
from gpool_cli.layout import size_of
from gpool_cli.model import Result

# Values of so many bytes stand in the header of their dataset, which saves a write of their own.
_SMALL = 8 << 10

# HDF5 1.8, of 2008, and newer: its groups and headers take two thirds of the room of those
# before. What is copied from an input may be as new as it is there.
VERSIONS = ("v108", "latest")

_MOST_MODELS = 1000
_numbers = count()


# What a result's dataset says of it, whatever the input's says under these names.
OWN_ATTRIBUTES = frozenset({b"pooling", b"layout", b"input_dtype", b"input_shape"})


class _Model(NamedTuple):
    """A dataset that others are copies of.

    Attributes:
        name: Its name among the models.
        dataset: The low-level dataset.
        input_shape: The low-level attribute of that name, which differs from copy to copy.
        holds_values: Its values stand in its header, and so are copied with it.
    """

    name: bytes
    dataset: Any
    input_shape: Any
    holds_values: bool


class ResultMaker:
    """Makes the datasets of results.

    Those that are alike are copies of one, which takes a third of the time of making each: a file
    may have many thousands, and what is said of them takes longer to write than their values.
    """

    def __init__(self) -> None:
        self._how, self._how_small = _plain(), _plain()
        self._how_small.set_layout(h5d.COMPACT)
        self._text = h5t.py_create(h5py.string_dtype(), logical=True)
        self._text_in_memory = h5t.py_create(h5py.string_dtype())
        self._one = h5s.create_simple(())
        # A file in memory, with the first of each kind by number; no two may have one name.
        name = f"models {next(_numbers)}"
        self._models = h5py.File(name, "w", driver="core", backing_store=False, libver=VERSIONS)
        self._known: dict[tuple[object, ...], _Model] = {}

    def create(self, group: Any, name: bytes, result: Result) -> Any:
        """Make the dataset of a result, with what there is to say of it.

        Returns:
            The low-level dataset, whose values are still to be written; None where they are.
        """
        model = self._model_of(result)
        shape = np.array(result.info.shape, np.int64)
        model.input_shape.write(shape, mtype=_kind(shape.dtype))
        if model.holds_values:
            write_rows(model.dataset, result)
        h5o.copy(self._models.id, model.name, group, name)
        return None if model.holds_values else h5o.open(group, name)

    def _model_of(self, result: Result) -> _Model:
        kind = (
            result.shape,
            result.rows is None,
            result.values.dtype,
            result.axes,
            result.pooling,
            result.layout.axes,
            result.info.dtype_name,
            len(result.info.shape),
        )
        if len(self._known) > _MOST_MODELS:
            self._known.clear()
            self._models.clear()
        if kind not in self._known:
            self._known[kind] = self._create_model(b"%d" % next(_numbers), result)
        return self._known[kind]

    def _create_model(self, name: bytes, result: Result) -> _Model:
        kind, space = _kind(result.values.dtype), h5s.create_simple(result.shape)
        small = size_of(result.shape) * result.values.itemsize <= _SMALL
        how = self._how_small if small else self._how
        dataset = h5d.create(self._models.id, name, kind, space, dcpl=how)
        for attribute, text in (
            (b"pooling", result.pooling.label),
            (b"layout", result.layout.axes),
            (b"input_dtype", result.info.dtype_name),
        ):
            made = h5a.create(dataset, attribute, self._text, self._one)
            made.write(_text(text), mtype=self._text_in_memory)
        for i, letter in enumerate(result.axes):
            h5ds.set_label(dataset, i, letter.encode())
        axes = h5s.create_simple((len(result.info.shape),))
        input_shape = h5a.create(dataset, b"input_shape", _kind(np.dtype(np.int64)), axes)
        return _Model(name, dataset, input_shape, small and result.rows is None)

    def close(self) -> None:
        """Forget what datasets are copied from."""
        self._known.clear()
        self._models.close()


def _plain() -> Any:
    how = h5p.create(h5p.DATASET_CREATE)
    how.set_obj_track_times(False)
    # More than eight attributes would get a heap and a tree of their own, twice the room.
    how.set_attr_phase_change(1000, 999)
    return how


@lru_cache(maxsize=64)
def _kind(dtype: np.dtype[Any]) -> Any:
    return h5t.py_create(dtype, logical=True)


@lru_cache(maxsize=64)
def _text(text: str) -> Array:
    return np.array(text, h5py.string_dtype())


def write_rows(dataset: Any, result: Result) -> None:
    """Write the values of a result, or of a piece of one, to its place in the dataset."""
    values = np.ascontiguousarray(result.values)
    kind = _kind(values.dtype)  # To make one takes longer than to write some hundred values.
    if result.rows is None:
        dataset.write(h5s.ALL, h5s.ALL, values, kind)
        return
    space = dataset.get_space()
    space.select_hyperslab((result.start, *(0,) * (values.ndim - 1)), values.shape)
    dataset.write(h5s.create_simple(values.shape), space, values, kind)
