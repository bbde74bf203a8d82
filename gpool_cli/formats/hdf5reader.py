"""HDF5, read: the datasets in groups, chunk by chunk."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, BinaryIO

import h5py
from h5py import h5d

from gpool_cli import ceiling, pulse
from gpool_cli.access import DEFAULT_ACCESS, Access
from gpool_cli.errors import InputError
from gpool_cli.formats.buffers import Buffers, borrowed
from gpool_cli.formats.files import open_regular, size_of_file
from gpool_cli.formats.hdf5alike import read_side_by_side
from gpool_cli.formats.hdf5attributes import read_attributes
from gpool_cli.formats.hdf5describe import describe, is_annotated
from gpool_cli.formats.hdf5external import Outside
from gpool_cli.formats.hdf5garbage import NoCollector
from gpool_cli.formats.hdf5layouts import ContiguousSource
from gpool_cli.formats.hdf5opening import open_hdf5
from gpool_cli.formats.hdf5others import save_others
from gpool_cli.formats.hdf5raw import RawFile
from gpool_cli.formats.hdf5source import LibrarySource, Source
from gpool_cli.formats.hdf5types import TypeTable
from gpool_cli.formats.hdf5walk import Node, Opener, Walk, any_name, is_lacking
from gpool_cli.formats.interface import (
    NAMES_SHOWN,
    Array,
    Reader,
    cut_parts,
    cut_parts_into_chunks,
    cut_parts_into_rows,
)
from gpool_cli.model import ArrayInfo, Block, Part
from gpool_cli.printable import printable
from gpool_cli.remote import is_url
from gpool_cli.surroundings import Attribute, Carry, Surroundings

# How many datasets stay open between their being listed and read.
_MOST_OPEN = 1000


class Hdf5Reader(Reader):
    """Reads the datasets that stand in the file itself.

    Args:
        path: A regular file.
    """

    def __init__(self, path: str, access: Access = DEFAULT_ACCESS) -> None:
        super().__init__(path, access)
        self._behind: BinaryIO | None = None
        self._no_collector = NoCollector() if is_url(path) else None
        follow = access.follow and not is_url(path)  # What is beside a URL, nobody named.
        try:
            self._behind = self._opened_by_url(path)
            pulse.look()
            # HDF5 seeks other files beside the name that it is given: let that be the real one.
            name = os.path.realpath(path) if follow else path
            self._file = _opened(self._behind or name, access.lock)
            self._raw = _raw_of(self._file, self._behind)
            self._types = TypeTable()
            self._outside = Outside(self._file, self._raw, access.lock) if follow else None
            self._leave = self._outside.root if self._outside is not None else None
            self._opener = Opener(self._file.id, self._leave)
        except BaseException:
            self._let_go()
            raise
        self._opened: dict[str, Any] = {}
        self._groups: list[str] = []
        self._annotated: set[str] = set()
        self._unwanted = 0
        self._last: tuple[ArrayInfo, Source] | None = None
        self._buffers = Buffers()

    def arrays(self) -> Iterator[ArrayInfo]:
        return self.arrays_named(any_name)

    def arrays_named(self, wanted: Callable[[str], bool]) -> Iterator[ArrayInfo]:
        self._forget()
        for node in Walk(self._file.id, wanted, self._leave):
            if (info := self._see(node)) is not None:
                yield info

    def next_arrays(
        self, wanted: Callable[[str], bool], most: int, place: Any = None
    ) -> tuple[list[ArrayInfo], Any]:
        if self._outside is not None or self._behind is not None:
            # A group of another file has no number here; and what is far is best read once.
            return super().next_arrays(wanted, most, place)
        self._forget()
        infos: list[ArrayInfo] = []
        walk, count = Walk(self._file.id, wanted, place=place), 0
        for node in walk:
            if node.is_dataset and wanted(node.name):
                if count == most:
                    return infos, walk.place()
                count += 1
            if (info := self._see(node)) is not None:
                infos.append(info)
        return infos, None

    def lacks(self, name: str) -> bool:
        return is_lacking(self._file.id, name)

    def _forget(self) -> None:
        """Begin to list anew."""
        self._groups, self._annotated, self._unwanted = [], set(), 0

    def _see(self, node: Node) -> ArrayInfo | None:
        """Take in what a walk found; an array, unless it is none, or one too many of no use."""
        pulse.look()
        annotated = node.item is not None and is_annotated(node.item)
        if annotated:
            self._annotated.add(node.name)
        if node.is_group:
            self._groups.append(node.name)
            return None
        if node.closed:
            self._unwanted += 1
            few = self._unwanted <= NAMES_SHOWN + 1
            return ArrayInfo(node.name, (), None) if few else None
        if node.item is not None and len(self._opened) < _MOST_OPEN:
            self._opened[node.name] = node.item
        return describe(node, annotated, self._types, self._raw, self._outside)

    def surroundings(self, pooled: Collection[str], carry: Carry) -> Surroundings | None:
        root, names = self._file.id, set(pooled)
        return Surroundings(
            tuple((name, self._attributes_of(name)) for name in self._groups),
            tuple((name, found) for name in pooled if (found := self._attributes_of(name))),
            save_others(root, names, carry.others_in) if carry.others_in else "",
        )

    def blocks(
        self, info: ArrayInfo, parts: Sequence[Part] | None = None
    ) -> Iterator[tuple[Block, Array]]:
        if self._last is None or self._last[0] != info:
            self._last = info, self._source_of(info)
            ceiling.make_room(info.chunk_bytes)
            pulse.read()
            if self._no_collector is not None:
                self._no_collector.collect()
        source = self._last[1]
        parts = parts if parts is not None else cut_parts(info)
        cut = cut_parts_into_rows if info.chunks is None else cut_parts_into_chunks
        if self._raw is not None:
            self._raw.announce(source, cut(info, parts))
        with borrowed() as buffers:
            for block in cut(info, parts):
                yield block, source.read(block, buffers)

    def side_by_side(self, infos: Sequence[ArrayInfo]) -> Array:
        if self._raw is None or self._behind is not None:
            return super().side_by_side(infos)  # A server is better asked for several at a time.
        return read_side_by_side(self._raw, infos, self._buffers)

    def close(self) -> None:
        try:
            if self._outside is not None:
                self._outside.close()
            if self._raw is not None:
                self._raw.close()
            self._file.close()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Close what HDF5 read through, and let the collector come back, once."""
        no_collector, self._no_collector = self._no_collector, None
        try:
            if self._behind is not None:
                self._behind.close()
        finally:
            if no_collector is not None:
                no_collector.close()

    def _check_start(self, file: BinaryIO) -> None:
        """Refuse, by its first bytes, what HDF5 could not say a clear word about."""

    def _opened_by_url(self, path: str) -> BinaryIO | None:
        """The file behind a URL; None for one on the disk, which HDF5 opens itself by its name."""
        file = open_regular(path)
        try:
            if size_of_file(file) == 0:
                raise InputError("is empty", "there is no array in it")
            self._check_start(file)
        except BaseException:
            file.close()
            raise
        if is_url(path):
            return file
        file.close()
        return None

    def _attributes_of(self, name: str) -> tuple[Attribute, ...]:
        """The attributes of a group or a dataset."""
        return tuple(read_attributes(self.item_of(name))) if name in self._annotated else ()

    def item_of(self, name: str) -> Any:
        """The low-level group or dataset of this name; '' is the root.

        Raises:
            InputError: There is none, or the file is damaged there.
        """
        item = self._opened.get(name)
        if item is None:
            item = self._opener.open(name) if name else self._file["/"].id
        return item

    def _source_of(self, info: ArrayInfo) -> Source:
        """Where to read an array from: past the library where that can be."""
        source, raw = None, self._raw
        if raw is not None and info.place is not None and info.dtype is not None:
            offset, identity = info.place
            if identity == raw.identity:
                source = raw.contiguous(info.shape, info.dtype, offset)
        return source if source is not None else self._source_by_name(info)

    def _source_by_name(self, info: ArrayInfo) -> Source:
        pulse.look()
        dsid = self._opened.pop(info.dataset, None)
        if dsid is None:
            dsid = self._opener.open(info.dataset)
        stored = self._types.of(dsid)
        if (dsid.shape, stored.dtype) != (info.shape, info.dtype):
            raise InputError("has changed since it was listed", "is the file still being written?")
        assert stored.dtype is not None
        raw = self._raw
        if self._outside is not None:
            plist = dsid.get_create_plist()
            if plist.get_layout() == h5d.VIRTUAL:
                self._outside.check_virtual(dsid)
            if plist.get_external_count():
                if not stored.plain:
                    raise InputError("keeps values in another file that are no plain numbers")
                segments = self._outside.segments(dsid)
                return ContiguousSource(segments, info.shape, stored.dtype, 0)
            raw = self._outside.raw_of(dsid)
        source = None
        if raw is not None and stored.plain and info.chunks is not None:
            source = raw.chunked(dsid, info.shape, stored.dtype, info.chunks)
        return source if source is not None else LibrarySource(dsid, stored.dtype)


def _raw_of(file: h5py.File, behind: BinaryIO | None) -> RawFile | None:
    """The bytes of a file beside h5py's view of it; None where h5py must read it."""
    if behind is None:
        return RawFile.of(file)
    from gpool_cli.formats.hdf5far import FarFile
    from gpool_cli.remote.file import RemoteFile

    # What a server gives only whole lies in a temporary file, which is as near as any.
    return FarFile(behind, file) if isinstance(behind, RemoteFile) else None


def _opened(path: str | BinaryIO, lock: bool) -> h5py.File:
    try:
        return open_hdf5(path, lock)
    except (OSError, RuntimeError, ValueError) as error:
        raise _why_not_open(error) from None


def _why_not_open(error: Exception) -> InputError:
    said, hint = printable(str(error)), "copy or save the file again"
    if "file signature not found" in said:
        return InputError("is no HDF5 file", hint)
    if "unable to lock file" in said:
        return InputError(
            "is locked: a program is writing it, or its file system has no locks",
            "wait for the program; or read the file as it is with --no-lock",
        )
    return InputError(f"can't be opened as HDF5: {said}", hint)
