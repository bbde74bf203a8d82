"""Attributes of HDF5 objects: read as data that can travel between processes, and written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import h5py
import numpy as np

from gpool_cli import pulse
from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5opening import DAMAGE
from gpool_cli.printable import printable
from gpool_cli.surroundings import Attribute

# HDF5's own bookkeeping of dimension scales, and of the labels of axes that pooling has changed.
_NOT_TAKEN = {b"DIMENSION_LIST", b"REFERENCE_LIST", b"CLASS", b"NAME", b"DIMENSION_LABELS"}


def read_attributes(item: Any) -> Iterator[Attribute]:
    """The attributes of a low-level group or dataset, but for HDF5's own ones.

    One that can't be read, or means nothing in another file (a reference), stays behind.

    Raises:
        InputError: The file is damaged where it says which there are.
    """
    names: list[bytes] = []
    try:
        # To open one by its number takes a walk over all of them.
        h5py.h5a.iterate(item, lambda name, *_: names.append(name))
    except DAMAGE as error:
        raise InputError(
            f"attributes can't be read: {printable(str(error))}", "copy or save the file again"
        ) from None
    for name in names:
        pulse.look()
        with contextlib.suppress(*DAMAGE):
            attribute = h5py.h5a.open(item, name)
            kind = attribute.get_type()
            if attribute.name not in _NOT_TAKEN and not kind.detect_class(h5py.h5t.REFERENCE):
                yield _read(attribute, kind)


def _read(attribute: Any, kind: Any) -> Attribute:
    space = attribute.get_space()
    values = None
    if space.get_simple_extent_type() != h5py.h5s.NULL:
        values = np.empty(attribute.shape, attribute.dtype)
        attribute.read(values, h5py.h5t.py_create(attribute.dtype))
    return Attribute(attribute.name, kind.encode(), space.encode(), values)


def write_attributes(
    attributes: Iterable[Attribute], target: Any, changed: frozenset[bytes] = frozenset()
) -> None:
    """Give a low-level group or dataset attributes in their own types, but for changed ones.

    One that can't be written stays behind.
    """
    for attribute in attributes:
        if attribute.name in changed:
            continue
        with contextlib.suppress(*DAMAGE):
            kind = h5py.h5t.decode(attribute.kind)
            made = h5py.h5a.create(target, attribute.name, kind, h5py.h5s.decode(attribute.space))
            if attribute.values is not None:
                made.write(attribute.values, h5py.h5t.py_create(kind.dtype))
