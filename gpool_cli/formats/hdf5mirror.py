"""What an HDF5 output takes over from an HDF5 input: groups, attributes, and other datasets."""

from __future__ import annotations

import contextlib
from typing import Any

import h5py
import numpy as np

from gpool_cli import __version__
from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5walk import open_item, walk
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.formats.naming import safe_name, stem
from gpool_cli.model import STDIN, InputFile
from gpool_cli.printable import printable

# HDF5's own bookkeeping of dimension scales, and words about axes that pooling has changed.
_NOT_TAKEN = {b"DIMENSION_LIST", b"REFERENCE_LIST", b"CLASS", b"NAME", b"DIMENSION_LABELS"}
_CHANGED = {b"layout", b"data_format"}


class Mirror:
    """Carries over what an input has beside the values of its maps.

    Args:
        source: The open input.
        target: The group of the output that stands for the input's root.
        copy_others: Carry over the datasets that were not pooled, unchanged.
    """

    def __init__(self, source: h5py.File, target: h5py.Group, copy_others: bool) -> None:
        self._source = source
        self._target = target
        self._copy_others = copy_others
        self._pooled: set[str] = set()
        for node in walk(source["/"].id):
            if node.is_group:
                group = target.require_group(safe_name(node.name)) if node.name else target
                copy_attributes(node.item, group.id)

    @classmethod
    def of(cls, file: InputFile, output: h5py.File, style: WriteStyle) -> Mirror | None:
        """The mirror of an input, or None where the input is no HDF5 file that can be read."""
        if file.path == STDIN or not h5py.is_hdf5(file.path):
            return None
        try:
            source = h5py.File(file.path, "r")
        except (OSError, RuntimeError, ValueError):
            return None  # What is wrong with it is said by the reader.
        root = safe_name(stem(file.name)) if style.several_inputs else "/"
        return cls(source, output.require_group(root), style.copy_others)

    def pooled(self, name: str, result: h5py.Dataset) -> None:
        """Give a result the attributes of the dataset that it was pooled from."""
        self._pooled.add(name)
        copy_attributes(open_item(self._source["/"].id, name), result.id, _CHANGED)

    def finish(self) -> None:
        """Carry over the rest, and close the input.

        Raises:
            InputError: A dataset can't be carried over.
        """
        try:
            if self._copy_others:
                for node in walk(self._source["/"].id):
                    if isinstance(node.item, h5py.h5d.DatasetID) and node.name not in self._pooled:
                        _copy_dataset(node.item, self._target, node.name)
        finally:
            self.close()

    def close(self) -> None:
        """Close the input."""
        self._source.close()


def _copy_dataset(item: Any, target: h5py.Group, name: str) -> None:
    """Copy a dataset as it is stored; its links to scales are HDF5's own and stay behind."""
    parent, _, last = safe_name(name).rpartition("/")
    group = target.require_group(parent) if parent else target
    dataset = h5py.Dataset(item)
    if not dataset.is_virtual and not dataset.external:
        try:
            group.copy(dataset, last)
        except (RuntimeError, ValueError) as error:
            raise InputError(
                f"{printable(dataset.file.filename)}:{printable(name)} can't be carried over: "
                f"{printable(str(error))}",
                "leave out --copy-others",
            ) from None
        for own in ("DIMENSION_LIST", "REFERENCE_LIST"):
            if own in group[last].attrs:
                del group[last].attrs[own]


def copy_attributes(source: Any, target: Any, changed: set[bytes] = frozenset()) -> None:  # type: ignore[assignment]
    """Copy attributes in their own types, but for HDF5's own ones.

    An attribute that can't stand in another file (a reference, or one over 64 kB, which the
    format that every HDF5 version reads has no room for) stays behind.
    """
    for i in range(h5py.h5a.get_num_attrs(source)):
        attribute = h5py.h5a.open(source, index=i)
        if attribute.name in _NOT_TAKEN or attribute.name in changed:
            continue
        with contextlib.suppress(OSError, RuntimeError, ValueError, TypeError):
            _copy_attribute(attribute, target)


def _copy_attribute(attribute: Any, target: Any) -> None:
    kind, space = attribute.get_type(), attribute.get_space()
    if kind.detect_class(h5py.h5t.REFERENCE):
        return
    if space.get_simple_extent_type() == h5py.h5s.NULL:
        h5py.h5a.create(target, attribute.name, kind, space)
        return
    values = np.empty(attribute.shape, attribute.dtype)
    memory = h5py.h5t.py_create(attribute.dtype)
    attribute.read(values, memory)
    h5py.h5a.create(target, attribute.name, kind, space).write(values, memory)


def write_history(output: h5py.File, recipe: str) -> None:
    """Put this run's line before the history that the root has."""
    earlier = output.attrs.get("history", "")
    earlier = earlier.decode("utf-8", "replace") if isinstance(earlier, bytes) else str(earlier)
    line = f"gpool {__version__} {recipe}"
    write_text(output, "history", f"{line}\n{earlier}" if earlier else line)


def write_text(item: Any, name: str, text: str) -> None:
    """Set a text attribute, in place of one of that name."""
    item.attrs.create(name, text, dtype=h5py.string_dtype())
