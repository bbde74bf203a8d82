"""What an HDF5 file has in other files, where the user lets it lead there: below its own directory.

External links, virtual datasets, and values in files of their own. Every file is looked at before
HDF5 is given it, for HDF5 would open any, and read a source that is missing as zeros.
"""

from __future__ import annotations

import os
from typing import Any

import h5py
from h5py import h5d, h5s

from gpool_cli import pulse
from gpool_cli.errors import InputError
from gpool_cli.formats.buffers import Bytes
from gpool_cli.formats.files import open_regular
from gpool_cli.formats.hdf5filters import ChunkError
from gpool_cli.formats.hdf5opening import open_hdf5
from gpool_cli.formats.hdf5raw import RawFile
from gpool_cli.formats.hdf5source import need_filters
from gpool_cli.formats.hdf5walk import open_path
from gpool_cli.layout import size_of
from gpool_cli.printable import printable

_MOST_FILES = 1000


class Outside:
    """The other files that an input leads to, opened once each.

    Args:
        file: The input.
        raw: Its bytes.
        lock: Respect the locks of other programs.
    """

    def __init__(self, file: h5py.File, raw: RawFile | None, lock: bool) -> None:
        own = os.path.realpath(file.filename)
        self._tree = os.path.dirname(own)
        self._lock = lock
        self._open: dict[str, tuple[h5py.File, RawFile | None]] = {own: (file, raw)}
        self._own = own

    def root(self, group: Any, name: bytes) -> Any:
        """The low-level root group of a file that something in another file names.

        Raises:
            InputError: It is not there, not below the directory, or no HDF5 file.
        """
        path = self.path_of(group, name)
        if path not in self._open:
            if len(self._open) > _MOST_FILES:
                raise InputError(f"leads to more than {_MOST_FILES:,} files")
            open_regular(path).close()
            pulse.look()
            try:
                file = open_hdf5(path, self._lock)
            except (OSError, RuntimeError, ValueError) as error:
                raise InputError(f"{printable(path)} can't be opened: {error}") from None
            self._open[path] = file, RawFile.of(file)
        return self._open[path][0]["/"].id

    def _root_of(self, item: Any) -> Any:
        """The root group of the file that an item is in."""
        return self._open[os.path.realpath(_file_of(item))][0]["/"].id

    def path_of(self, item: Any, name: bytes) -> str:
        """The path of a file that an item names, seen from the file that the item is in.

        Raises:
            InputError: It is not there, or not below the input's directory.
        """
        here = os.path.dirname(os.path.realpath(_file_of(item)))
        path = os.path.realpath(os.path.join(here, os.fsdecode(name)))
        if os.path.commonpath([self._tree, path]) != self._tree:
            raise InputError(f"leads to {printable(path)}, which is outside of its directory")
        if not os.path.exists(path):
            raise InputError(f"leads to {printable(path)}, which is not there")
        return path

    def raw_of(self, item: Any) -> RawFile | None:
        """The bytes of the file that an item is in."""
        return self._open[os.path.realpath(_file_of(item))][1]

    def is_other(self, item: Any) -> bool:
        """Whether an item is in another file than the input."""
        return bool(os.path.realpath(_file_of(item)) != self._own)

    def check_virtual(self, dsid: Any) -> None:
        """Look at the sources of a virtual dataset.

        Raises:
            InputError: One is not there, is virtual itself, or smaller than what is taken of it.
        """
        plist = dsid.get_create_plist()
        for i in range(plist.get_virtual_count()):
            pulse.look()
            name, inside = plist.get_virtual_filename(i), plist.get_virtual_dsetname(i)
            shown = printable(f"{name}:{inside}")
            if "%" in name or "%" in inside:  # HDF5 reads %b as a number, and %% as %.
                raise InputError(f"has a source with a % in its name: {shown}")
            root = self._root_of(dsid) if name == "." else self.root(dsid, os.fsencode(name))
            source = open_path(root, inside.encode("utf-8", "surrogateescape"))
            if not isinstance(source, h5d.DatasetID):
                raise InputError(f"has a source that is no dataset: {shown}")
            layout = source.get_create_plist()
            if layout.get_layout() == h5d.VIRTUAL or layout.get_external_count():
                raise InputError(f"has a source that lies elsewhere itself: {shown}")
            need_filters(layout)
            if not _covers(source, plist.get_virtual_srcspace(i), plist.get_virtual_vspace(i)):
                raise InputError(f"has a source that is smaller than what is taken of it: {shown}")

    def segments(self, dsid: Any) -> Segments:
        """The values of a dataset that lie in files of their own.

        Raises:
            InputError: One is not there, or not below the input's directory.
        """
        plist = dsid.get_create_plist()
        parts = []
        for i in range(plist.get_external_count()):
            name, offset, size = plist.get_external(i)
            parts.append((self.path_of(dsid, name), offset, size))
        return Segments(parts)

    def close(self) -> None:
        """Close the other files."""
        for path, (file, raw) in self._open.items():
            if path != self._own:
                if raw is not None:
                    raw.close()
                file.close()


class Segments:
    """Stretches of files, one after the other, read as if they were one file.

    Args:
        parts: The path of each, where it begins, and how long it is at most.
    """

    def __init__(self, parts: list[tuple[str, int, int]]) -> None:
        self._parts = []
        for path, offset, size in parts:
            with open_regular(path) as file:
                there = max(0, os.fstat(file.fileno()).st_size - offset)
            self._parts.append((path, offset, min(size, there)))
        self.size = sum(size for _, _, size in self._parts)

    def read_into(self, view: Bytes, offset: int) -> None:
        """Fill a buffer with the bytes from an offset on.

        Raises:
            ChunkError: There are too few.
        """
        if offset + len(view) > self.size:
            raise ChunkError(f"its values end at byte {self.size} of {offset + len(view)}")
        done, first = 0, 0
        for path, begin, size in self._parts:
            at = offset + done - first
            if done < len(view) and 0 <= at < size:
                count = min(len(view) - done, size - at)
                with open_regular(path) as file:
                    file.seek(begin + at)
                    got = file.readinto(view[done : done + count].data)  # type: ignore[attr-defined]
                if got != count:
                    raise ChunkError(f"{printable(path)} has become shorter")
                done += count
            first += size


def _covers(source: Any, taken: Any, given: Any) -> bool:
    """Whether a source has all that is taken of it."""
    if taken.get_select_type() == h5s.SEL_ALL:  # It says nothing of the extent then.
        return bool(size_of(source.shape) == given.get_select_npoints())
    _, last = taken.get_select_bounds()
    if len(last) != len(source.shape):
        return False
    return all(at < n for at, n in zip(last, source.shape, strict=True))


def _file_of(item: Any) -> str:
    return os.fsdecode(h5py.h5f.get_name(item))
