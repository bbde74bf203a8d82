"""What an HDF5 output takes over from an HDF5 input: groups, attributes, and other datasets."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import h5py

from gpool_cli import __version__
from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5attributes import write_attributes
from gpool_cli.formats.hdf5groups import Groups
from gpool_cli.formats.hdf5others import saved_others
from gpool_cli.formats.hdf5results import OWN_ATTRIBUTES
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.formats.naming import safe_name, stem
from gpool_cli.model import InputFile, Result
from gpool_cli.printable import printable
from gpool_cli.surroundings import Attribute, Surroundings

# A word about axes, which pooling has changed, and about missing values, which are NaN in results.
_CHANGED = OWN_ATTRIBUTES | {b"data_format", b"_FillValue", b"missing_value"}

# How stored values are unpacked, which means nothing for results in other units.
_PACKING = frozenset({b"scale_factor", b"add_offset", b"_Unsigned"})


class Mirror:
    """Puts what an input has beside the values of its maps into an output.

    Args:
        file: The input.
        groups: The groups of the output.
        style: How it is written.
    """

    def __init__(self, file: InputFile, groups: Groups, style: WriteStyle) -> None:
        self._root = stem(file.name) if style.several_inputs else ""
        self._groups = groups
        self._groups_left: dict[str, tuple[Attribute, ...]] = {}
        self._attributes: dict[str, tuple[Attribute, ...]] = {}
        self._others = ""

    def surround(self, surroundings: Surroundings) -> None:
        """Take what the input has, or more of that, before the results that it is about."""
        self._groups_left.update(surroundings.groups)
        self._attributes = dict(surroundings.datasets)
        self._others = self._others or surroundings.others

    def describe(self, result: Result, group: Any, name: bytes) -> None:
        """Give the dataset of a result, in a low-level group, the attributes of its map."""
        dataset = result.info.dataset
        above = dataset.rpartition("/")[0]
        if self._groups_left.get(above) == ():
            # It is there already, and to open 10,000 takes half a second.
            del self._groups_left[above]
        if attributes := self._attributes.get(dataset):
            changed = _CHANGED if result.packed else _CHANGED | _PACKING
            write_attributes(attributes, h5py.h5o.open(group, name), changed)

    def finish(self) -> None:
        """Carry over groups, and the datasets that were not pooled, as they are stored.

        Raises:
            InputError: One has no place in the output.
        """
        try:
            for name, attributes in self._groups_left.items():
                write_attributes(attributes, self._groups.require(self._name_of(name)))
            self._copy_others()
        finally:
            self.close()

    def _copy_others(self) -> None:
        if self._others:
            for name, file, number in saved_others(self._others):
                group, last = self._place_of(name)
                h5py.h5o.copy(file, number, group, last)

    def _name_of(self, name: str) -> str:
        """What something in the input is called in the output; '' is the root of the output."""
        below = "/".join(filter(None, [self._root, name]))
        return safe_name(below) if below else ""

    def _place_of(self, name: str) -> tuple[Any, bytes]:
        try:
            return self._groups.place_of(self._name_of(name))
        except InputError as error:
            raise InputError(
                f"{printable(name)} can't be carried over: it {error.message}",
                "leave out --copy-others",
            ) from None

    def close(self) -> None:
        """Let go of what was to be carried over."""
        if self._others:
            with contextlib.suppress(OSError):
                os.unlink(self._others)
            self._others = ""


def write_history(output: h5py.File, recipe: str) -> None:
    """Put this run's line before the history that the root has."""
    earlier = output.attrs.get("history", "")
    earlier = earlier.decode("utf-8", "replace") if isinstance(earlier, bytes) else str(earlier)
    line = f"gpool {__version__} {recipe}"
    write_text(output, "history", f"{line}\n{earlier}" if earlier else line)


def write_text(item: Any, name: str, text: str) -> None:
    """Set a text attribute, in place of one of that name."""
    item.attrs.create(name, text, dtype=h5py.string_dtype())
