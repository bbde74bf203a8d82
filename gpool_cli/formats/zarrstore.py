"""The directory that a zarr store is: nothing outside of it is read, and nothing but plain files.

What a file in it says never makes a path but of numbers, and links that lead out are refused.
"""

from __future__ import annotations

import json
import os
from typing import Any

from gpool_cli import pulse
from gpool_cli.errors import InputError
from gpool_cli.formats.flat import FlatFile
from gpool_cli.formats.inputs import stamp_at

# A group may hold the metadata of all that is below it once more.
_LONGEST_JSON = 16 << 20
_DEEPEST = 64


class Store:
    """A store on disk.

    Args:
        path: Its directory.
    """

    def __init__(self, path: str) -> None:
        self._root = os.path.realpath(path)

    def open(self, key: str) -> FlatFile | None:
        """Open a file of the store; None where there is none.

        Args:
            key: Its path below the root, with ``/`` between its parts.

        Raises:
            InputError: It is empty, no regular file, or a link leads out of the store.
        """
        path = os.path.realpath(os.path.join(self._root, key))
        if not path.startswith(self._root + os.sep):
            raise InputError("leads out of the store by a link", "copy what it leads to into it")
        try:
            return FlatFile(path)
        except FileNotFoundError:
            return None

    def read_json(self, key: str) -> dict[str, Any] | None:
        """A file of metadata; None where there is none.

        Raises:
            InputError: It is no JSON object, or too long for one.
        """
        pulse.look()
        file = self.open(key)
        if file is None:
            return None
        try:
            if file.size > _LONGEST_JSON:
                raise InputError(f"has metadata of {file.size} bytes", "no array needs as much")
            said = json.loads(file.read(0, file.size))
        except (ValueError, RecursionError):
            said = None
        finally:
            file.close()
        if not isinstance(said, dict):
            raise InputError(
                f"has damaged metadata: {key.rpartition('/')[2]} is no JSON object",
                "copy or save it again",
            )
        return said

    def members(self, group: str) -> list[str]:
        """The directories in a group, sorted; links among them are not followed."""
        pulse.look()
        if group.count("/") >= _DEEPEST:
            raise InputError(f"is nested deeper than {_DEEPEST} groups", "is it damaged?")
        with os.scandir(os.path.join(self._root, group)) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))

    def files_below(self, array: str) -> frozenset[str] | None:
        """The keys of all files of an array; None where a link among them makes that unclear."""
        found: set[str] = set()
        for directory, names, files in os.walk(os.path.join(self._root, array)):
            pulse.look()
            if any(os.path.islink(os.path.join(directory, name)) for name in names):
                return None
            at = os.path.relpath(directory, self._root).replace(os.sep, "/")
            found.update(name if at == "." else f"{at}/{name}" for name in files)
        return frozenset(found)

    def stored_bytes(self, array: str) -> int:
        """How many bytes there are of an array."""
        return stamp_at(os.path.join(self._root, array))[0]
