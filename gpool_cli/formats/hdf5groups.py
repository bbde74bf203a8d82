"""The groups of an HDF5 output, found and made by name."""

from __future__ import annotations

from typing import Any

from h5py import h5g, h5i, h5o, h5p

from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5path import OpenGroups
from gpool_cli.printable import printable


class Groups:
    """Finds and makes groups.

    Args:
        root: The low-level group that names begin at.
    """

    def __init__(self, root: Any) -> None:
        self._groups = OpenGroups(root, self._step)
        self._is_new, self._name = False, ""
        self._how = h5p.create(h5p.GROUP_CREATE)
        self._how.set_obj_track_times(False)

    def require(self, name: str) -> Any:
        """The low-level group of this name, '' for the root; it is made where there is none.

        Raises:
            InputError: A dataset has that name, or one above it.
        """
        return self._group(name.encode().split(b"/") if name else [], name)

    def place_of(self, name: str) -> tuple[Any, bytes]:
        """Where a dataset of this name goes: into which low-level group, and under which name.

        Raises:
            InputError: The name is taken, or one above it is that of a dataset.
        """
        *above, last = name.encode().split(b"/")
        group = self._group(above, name)
        if not self._is_new and group.links.exists(last):
            raise _taken(name, name)
        return group, last

    def _group(self, parts: list[bytes], name: str) -> Any:
        self._is_new, self._name = False, name
        return self._groups.descend(parts)

    def _step(self, here: Any, part: bytes) -> Any:
        """Open a group, or make it; nothing need be looked for in one that was just made."""
        self._is_new = self._is_new or not here.links.exists(part)
        if self._is_new:
            return h5g.create(here, part, gcpl=self._how)
        found = h5o.open(here, part)
        if not isinstance(found, h5g.GroupID):
            raise _taken(self._name, h5i.get_name(found).decode().lstrip("/"))
        return found


def _taken(name: str, above: str) -> InputError:
    """A name can't be taken twice, nor be that of a dataset and of a group above another."""
    return InputError(
        f"has no place as {printable(name)} in the output: {printable(above)} is already there",
        "write it to .npz, into a directory, or as rows (.npy, .csv, .jsonl)",
    )
