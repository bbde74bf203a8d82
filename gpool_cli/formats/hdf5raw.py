"""Reads HDF5 datasets by offset, past the HDF5 library and its lock.

h5py says where the bytes are, `pread` gets them, `hdf5filters` undoes the filters. Everything that
is not plainly a contiguous or chunked array of fixed-size numbers under deflate, shuffle and
fletcher32 is left to h5py.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5i, h5z

from gpool_cli.errors import InputError
from gpool_cli.formats.buffers import Bytes
from gpool_cli.formats.hdf5chunks import ChunkIndex
from gpool_cli.formats.hdf5filters import ChunkError
from gpool_cli.formats.hdf5layouts import ChunkedSource, ContiguousSource, Plan
from gpool_cli.formats.hdf5source import HINT, Source, fill_value
from gpool_cli.layout import size_of
from gpool_cli.model import Block
from gpool_cli.printable import printable

_LOCAL_DRIVERS = ("sec2", "stdio", "windows")

# HDF5#3003: before, the addresses of chunks did not count the user block; get_offset always did.
_COUNTS_USER_BLOCK = h5py.version.hdf5_version_tuple >= (1, 14, 4)

# Smaller chunks without filters are read faster by HDF5, which has nothing to do but copy.
_LEAST_UNFILTERED = 1 << 18

# The index of a dataset with more chunks is kept for when the file is opened for its next part.
_MANY_CHUNKS = 1000
_kept: tuple[Any, ChunkIndex] | None = None

# Linux reads no more at one time.
_MOST_AT_ONCE = 1 << 30


def knows_chunks(file: h5py.File) -> bool:
    """Whether HDF5 says rightly where the chunks of a file are."""
    return bool(_COUNTS_USER_BLOCK or not file.userblock_size)


class RawFile:
    """An HDF5 file's bytes beside h5py's view of it.

    Args:
        fd: A file descriptor of its own.
        knows_chunks: HDF5 says rightly where its chunks are.

    Attributes:
        identity: What tells the file from others, and from itself before a change.
        leaves_small: Small chunks without filters are left to HDF5.
    """

    identity: tuple[int | str, ...]
    leaves_small = True

    def __init__(self, fd: int, knows_chunks: bool) -> None:
        self._fd = fd
        stat = os.fstat(fd)
        self.size = stat.st_size
        self.identity = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        self._knows_chunks = knows_chunks

    @classmethod
    def of(cls, file: h5py.File) -> RawFile | None:
        """The bytes of a file; None where it is no local file that is only read."""
        if file.driver not in _LOCAL_DRIVERS or file.mode != "r" or file.swmr_mode:
            return None  # What is not on the disk alone may be in HDF5's caches.
        if hasattr(os, "pread"):
            fd = os.dup(file.id.get_vfd_handle())  # The very file, whatever its name now means.
        else:
            fd = os.open(file.filename, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        return cls(fd, knows_chunks(file))

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._fd)

    def contiguous(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int
    ) -> Source | None:
        """How to read values that lie in one piece, or None where h5py must.

        Args:
            shape: The shape of the dataset.
            dtype: The dtype whose bytes are those in the file.
            offset: Where its values begin.
        """
        nbytes = size_of(shape) * dtype.itemsize
        if not nbytes or offset + nbytes > self.size:
            return None
        return ContiguousSource(self, shape, dtype, offset)

    def chunked(
        self, dsid: Any, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: tuple[int, ...]
    ) -> Source | None:
        """How to read a chunked dataset, or None where h5py must.

        Args:
            dsid: The low-level dataset.
            shape: Its shape.
            dtype: The dtype whose bytes are those in the file.
            chunks: The chunks that its blocks consist of.

        Raises:
            InputError: What the file says of its chunks can't be.
        """
        plan = self.plan_of(dsid, shape, dtype, chunks)
        return ChunkedSource(self, plan, dsid) if plan is not None else None

    def plan_of(
        self, dsid: Any, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: tuple[int, ...]
    ) -> Plan | None:
        """What `chunked` has to know."""
        if not self._knows_chunks or not size_of(shape):
            return None
        plist = dsid.get_create_plist()
        if plist.get_layout() != h5d.CHUNKED or plist.get_chunk() != chunks:
            return None
        filters = _pipeline(plist, dtype)
        if filters is None:
            return None
        try:
            index = self._index(dsid, shape, chunks)
        except ChunkError as error:
            raise InputError(f"has a damaged index: {printable(str(error))}", HINT) from None
        if index is None:
            return None
        nbytes = size_of(chunks) * dtype.itemsize
        small = nbytes < _LEAST_UNFILTERED and self.leaves_small
        if small and not filters and index.all_have(nbytes):
            return None
        fill = None if index.is_full else fill_value(plist, dtype)
        return Plan(shape, dtype, chunks, filters, index, dtype.type(0) if fill is None else fill)

    def _index(
        self, dsid: Any, shape: tuple[int, ...], chunks: tuple[int, ...]
    ) -> ChunkIndex | None:
        global _kept
        if size_of(shape) // size_of(chunks) < _MANY_CHUNKS:
            return ChunkIndex.of(dsid, shape, chunks)
        # By its name: for its address HDF5 would walk the whole index to add up its size.
        key = (self.identity, h5i.get_name(dsid), shape, chunks)
        if _kept is not None and _kept[0] == key:
            _kept[1].reopen(dsid)
            return _kept[1]
        index = ChunkIndex.of(dsid, shape, chunks)
        _kept = None if index is None else (key, index)
        return index

    def read_into(self, view: Bytes, offset: int) -> None:
        """Fill a buffer with the file's bytes from an offset on."""
        if offset < 0 or offset + len(view) > self.size:
            end = offset + len(view)
            raise ChunkError(f"bytes {offset} to {end} lie outside the file's {self.size}")
        self.fill(view, offset)

    def announce(self, source: Source, blocks: Iterable[Block]) -> None:
        """Say which blocks of a source will be read next, in this order; here that is no help."""

    def fill(self, view: Bytes, offset: int) -> None:
        """Fill a buffer with bytes that lie in the file."""
        done = 0
        while done < len(view):
            got = self._read(view[done : done + _MOST_AT_ONCE].data, offset + done)
            if not got:
                missing = len(view) - done
                raise ChunkError(f"the file ends at byte {offset + done}, {missing} too early")
            done += got

    def _read(self, view: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._fd, [view], offset)
        os.lseek(self._fd, offset, os.SEEK_SET)  # Nothing else reads from this descriptor.
        data = os.read(self._fd, min(len(view), 1 << 20))
        view[: len(data)] = data
        return len(data)


def offset_of(dsid: Any) -> int | None:
    """Where an array begins that lies in one piece in the file itself; None for all others."""
    try:
        offset: int | None = dsid.get_offset()
    except RuntimeError:  # h5py takes an address of 0 for a failure.
        return None
    return offset


def _pipeline(plist: Any, dtype: np.dtype[Any]) -> tuple[int, ...] | None:
    """The filters in the order of writing; None where there is one that we can't undo."""
    filters: list[int] = []
    for i in range(plist.get_nfilters()):
        code, _, values, _ = plist.get_filter(i)
        if code not in (h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32):
            return None
        if code in filters:
            return None
        if code == h5z.FILTER_SHUFFLE and tuple(values[:1]) != (dtype.itemsize,):
            return None
        filters.append(code)
    return tuple(filters)
