"""The groups of an HDF5 output, found and made by name."""

from __future__ import annotations

from typing import Any

from h5py import h5g, h5o, h5p

from gpool_cli.errors import InputError
from gpool_cli.printable import printable


class Groups:
    """Finds and makes groups.

    Those above the last name stay open: names come in order, and many have the same ones.

    Args:
        root: The low-level group that names begin at.
    """

    def __init__(self, root: Any) -> None:
        self._root = root
        self._above: list[tuple[bytes, Any]] = []
        self._is_new = False
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
        known, self._is_new = 0, False
        for part, (opened, _) in zip(parts, self._above, strict=False):
            if part != opened:
                break
            known += 1
        del self._above[known:]
        for part in parts[known:]:
            here = self._above[-1][1] if self._above else self._root
            self._is_new = self._is_new or not here.links.exists(part)
            make = self._is_new
            found = h5g.create(here, part, gcpl=self._how) if make else h5o.open(here, part)
            if not isinstance(found, h5g.GroupID):
                raise _taken(name, b"/".join(parts[: len(self._above) + 1]).decode())
            self._above.append((part, found))
        return self._above[-1][1] if self._above else self._root


def _taken(name: str, above: str) -> InputError:
    """A name can't be taken twice, nor be that of a dataset and of a group above another."""
    return InputError(
        f"has no place as {printable(name)} in the output: {printable(above)} is already there",
        "write it to .npz, into a directory, or as rows (.npy, .csv, .jsonl)",
    )
