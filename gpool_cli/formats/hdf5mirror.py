"""What an HDF5 output takes over from an HDF5 input: groups, attributes, and other datasets."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from gpool_cli import __version__
from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5walk import Node, open_item, walk
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.formats.naming import safe_name, stem
from gpool_cli.model import STDIN, InputFile
from gpool_cli.printable import printable

# HDF5's own bookkeeping of dimension scales, and words about axes that pooling has changed.
_NOT_TAKEN = {b"DIMENSION_LIST", b"REFERENCE_LIST", b"CLASS", b"NAME", b"DIMENSION_LABELS"}
_CHANGED = {b"layout", b"data_format"}

# What h5py raises on damaged files, and what only an output without room can answer.
_DAMAGE = (OSError, RuntimeError, ValueError, KeyError, TypeError)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Mirror:
    """Carries over what an input has beside the values of its maps.

    Args:
        source: The open input.
        target: The group of the output that stands for the input's root.
        copy_others: Carry over the datasets that were not pooled, unchanged.

    Raises:
        InputError: The input is damaged, or its groups have no place in the output.
    """

    def __init__(self, source: h5py.File, target: h5py.Group, copy_others: bool) -> None:
        self._source = source
        self._target = target
        self._copy_others = copy_others
        self._pooled: set[str] = set()
        with _reading(source, ""):
            self._root = source["/"].id
        for node in self._nodes():
            if node.is_group:
                group = _group(target, safe_name(node.name)) if node.name else target
                with _reading(source, node.name):
                    count = h5py.h5a.get_num_attrs(node.item)
                copy_attributes(node.item, count, group.id)

    @classmethod
    def of(cls, file: InputFile, output: h5py.File, style: WriteStyle) -> Mirror | None:
        """The mirror of an input, or None where the input is no HDF5 file that can be read."""
        if file.path == STDIN or not h5py.is_hdf5(file.path):
            return None
        try:
            source = h5py.File(file.path, "r")
        except _DAMAGE:
            return None  # What is wrong with it is said by the reader.
        root = safe_name(stem(file.name)) if style.several_inputs else "/"
        try:
            return cls(source, _group(output, root), style.copy_others)
        except BaseException:
            source.close()
            raise

    def pooled(self, name: str, result: h5py.Dataset) -> None:
        """Give a result the attributes of the dataset that it was pooled from.

        Raises:
            InputError: The dataset can't be read.
        """
        self._pooled.add(name)
        with _reading(self._source, name):
            item = open_item(self._root, name)
            count = h5py.h5a.get_num_attrs(item)
        copy_attributes(item, count, result.id, _CHANGED)

    def finish(self) -> None:
        """Carry over the rest, and close the input.

        Raises:
            InputError: A dataset can't be carried over.
        """
        try:
            if self._copy_others:
                for node in self._nodes():
                    if isinstance(node.item, h5py.h5d.DatasetID) and node.name not in self._pooled:
                        self._copy_dataset(node.item, node.name)
        finally:
            self.close()

    def close(self) -> None:
        """Close the input."""
        self._source.close()

    def _nodes(self) -> Iterator[Node]:
        """Everything in the input."""
        with _reading(self._source, ""):
            yield from walk(self._root)

    def _copy_dataset(self, item: Any, name: str) -> None:
        """Copy a dataset as it is stored; its links to scales are HDF5's own and stay behind."""
        parent, _, last = safe_name(name).rpartition("/")
        group = _group(self._target, parent) if parent else self._target
        with _reading(self._source, name, "leave out --copy-others"):
            dataset = h5py.Dataset(item)
            if dataset.is_virtual or dataset.external:
                return
            group.copy(dataset, last)
        for own in ("DIMENSION_LIST", "REFERENCE_LIST"):
            if own in group[last].attrs:
                del group[last].attrs[own]


class _reading(contextlib.AbstractContextManager[None]):  # noqa: N801 - reads as a statement
    """Say what HDF5 finds in the input as an error about it, never as one about the output."""

    def __init__(
        self, source: h5py.File, name: str, hint: str = "copy or save the file again"
    ) -> None:
        self._source, self._name, self._hint = source, name, hint

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, _DAMAGE) or getattr(error, "errno", None) in _NO_ROOM:
            return
        where = f"{self._source.filename}:{self._name}" if self._name else self._source.filename
        raise InputError(
            f"{printable(where)} can't be carried over: {printable(str(error))}", self._hint
        ) from None


def _group(target: h5py.Group, name: str) -> h5py.Group:
    """A group of the output, made where it is missing."""
    try:
        return target.require_group(name)
    except (TypeError, ValueError):
        raise InputError(
            f"has no place for the group {printable(name)} in the output: "
            "a dataset of that name is already there",
            "write it to .npz, into a directory, or as rows (.npy, .csv, .jsonl)",
        ) from None


def copy_attributes(
    source: Any,
    count: int,
    target: Any,
    changed: set[bytes] = frozenset(),  # type: ignore[assignment]
) -> None:
    """Copy so many attributes in their own types, but for HDF5's own ones.

    An attribute that can't be read, or can't stand in another file (a reference, or one over
    64 kB, which the format that every HDF5 version reads has no room for) stays behind.
    """
    for i in range(count):
        with contextlib.suppress(*_DAMAGE):
            attribute = h5py.h5a.open(source, index=i)
            if attribute.name not in _NOT_TAKEN and attribute.name not in changed:
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
