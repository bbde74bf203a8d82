"""Reads HDF5 datasets by offset, past the HDF5 library and its lock.

h5py says where the bytes are, `pread` gets them, `hdf5filters` undoes the filters. Everything that
is not plainly a contiguous or chunked array of fixed-size numbers under deflate, shuffle and
fletcher32 is left to h5py.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from typing import Any, Protocol

import h5py
import numpy as np
from h5py import h5d, h5i, h5z

from gpool_cli.errors import InputError
from gpool_cli.formats import hdf5filters
from gpool_cli.formats.hdf5chunks import Chunk, ChunkIndex
from gpool_cli.formats.hdf5filters import Bytes, ChunkError, Damaged
from gpool_cli.formats.hdf5source import HINT, Buffers, LibrarySource, Source, fill_value
from gpool_cli.formats.interface import Array, as_native
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


class RawFile:
    """An HDF5 file's bytes beside h5py's view of it.

    Args:
        fd: A file descriptor of its own.
        user_block: The file begins with bytes that are not HDF5's.

    Attributes:
        identity: What tells the file from others, and from itself before a change.
    """

    def __init__(self, fd: int, user_block: bool) -> None:
        self._fd = fd
        stat = os.fstat(fd)
        self.size = stat.st_size
        self.identity = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        self._knows_chunks = _COUNTS_USER_BLOCK or not user_block

    @classmethod
    def of(cls, file: h5py.File) -> RawFile | None:
        """The bytes of a file; None where it is no local file that is only read."""
        if file.driver not in _LOCAL_DRIVERS or file.mode != "r" or file.swmr_mode:
            return None  # What is not on the disk alone may be in HDF5's caches.
        if hasattr(os, "pread"):
            fd = os.dup(file.id.get_vfd_handle())  # The very file, whatever its name now means.
        else:
            fd = os.open(file.filename, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        return cls(fd, bool(file.userblock_size))

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
        if not filters and nbytes < _LEAST_UNFILTERED and index.all_have(nbytes):
            return None
        fill = None if index.is_full else fill_value(plist, dtype)
        plan = Plan(shape, dtype, chunks, filters, index, dtype.type(0) if fill is None else fill)
        return ChunkedSource(self, plan, dsid)

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


class RawBytes(Protocol):
    """Where bytes come from."""

    def read_into(self, view: Bytes, offset: int) -> None:
        """Fill a buffer with the bytes from an offset on; `ChunkError` where there are none."""


class ContiguousSource:
    """Reads an array that lies in one piece.

    Args:
        raw: The file.
        shape: The array's shape.
        dtype: As stored.
        offset: The first byte.
    """

    def __init__(
        self, raw: RawBytes, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int
    ) -> None:
        self._raw, self._shape, self._dtype, self._offset = raw, shape, dtype, offset

    def read(self, block: Block, buffers: Buffers) -> Array:
        first = 0
        for at, length in zip(block.start, self._shape, strict=True):
            first = first * length + at
        data = buffers.take("block", size_of(block.shape) * self._dtype.itemsize)
        try:
            self._raw.read_into(data, self._offset + first * self._dtype.itemsize)
        except ChunkError as error:
            raise InputError(f"can't be read at {block.start}: {error}", HINT) from None
        return as_native(data.view(self._dtype).reshape(block.shape))


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to know of a chunked dataset.

    Attributes:
        shape: Its shape.
        dtype: As stored.
        chunks: The shape of a chunk.
        filters: In the order of writing.
        index: Where the chunks are.
        fill: What stands in chunks that were never written.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, ...]
    filters: tuple[int, ...]
    index: ChunkIndex
    fill: Any

    @property
    def native(self) -> np.dtype[Any]:
        """The dtype in native byte order."""
        return self.dtype.newbyteorder("=")

    @property
    def chunk_bytes(self) -> int:
        """Bytes of a whole chunk, decoded."""
        return size_of(self.chunks) * self.dtype.itemsize

    def within(self, start: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a chunk as far as it lies in the array."""
        lengths = zip(start, self.chunks, self.shape, strict=True)
        return tuple(min(chunk, length - at) for at, chunk, length in lengths)


class ChunkedSource:
    """Reads an array in chunks.

    Args:
        raw: The file.
        plan: The array.
        dsid: The low-level dataset, for what only HDF5 knows.
    """

    def __init__(self, raw: RawFile, plan: Plan, dsid: Any) -> None:
        self._raw, self._plan, self._dsid = raw, plan, dsid

    def read(self, block: Block, buffers: Buffers) -> Array:
        plan = self._plan
        if block.shape[0] <= plan.chunks[0] and block.shape[1:] == plan.chunks[1:]:
            whole = self._chunk(block.start, buffers.take("block", plan.chunk_bytes), buffers)
            return whole[: block.shape[0]]
        size = size_of(block.shape) * plan.dtype.itemsize
        values = buffers.take("block", size).view(plan.native).reshape(block.shape)
        corners = (
            range(first, first + length, chunk)
            for first, length, chunk in zip(block.start, block.shape, plan.chunks, strict=True)
        )
        for start in itertools.product(*corners):
            shape = plan.within(start)
            box = zip(start, block.start, shape, strict=True)
            place = values[tuple(slice(at - first, at - first + n) for at, first, n in box)]
            if shape == plan.chunks and place.flags.c_contiguous:
                out = place.reshape(-1).view(np.uint8)
            else:
                out = buffers.take("chunk", plan.chunk_bytes)
            chunk = self._chunk(start, out, buffers)
            if not np.may_share_memory(chunk, place):
                place[...] = chunk[tuple(slice(n) for n in shape)]
        return values

    def _chunk(self, start: tuple[int, ...], out: Bytes, buffers: Buffers) -> Array:
        """One whole chunk, in `out` or in memory of its own."""
        plan = self._plan
        place = 0
        for at, chunk, n in zip(start, plan.chunks, plan.index.grid, strict=True):
            place = place * n + at // chunk
        where = plan.index.get(place)
        if where is None:
            values = out.view(plan.native)
            values.fill(plan.fill)
            return values.reshape(plan.chunks)
        try:
            return self._decoded(where, start, out, buffers).reshape(plan.chunks)
        except ChunkError as error:
            raise InputError(f"can't be read at {start}: {error}", HINT) from None

    def _decoded(self, where: Chunk, start: tuple[int, ...], out: Bytes, buffers: Buffers) -> Array:
        plan = self._plan
        active = [code for i, code in enumerate(plan.filters) if not where.skipped >> i & 1]
        # HDF5 can leave chunks that reach over the edge unfiltered, and h5py can't be asked whether
        # it did (H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS). Their size is then a whole chunk's; where
        # the bytes don't decode, HDF5 is asked. It is not asked about what decodes too short:
        # there it would give memory of its own for the rest.
        maybe_plain = (
            bool(active) and where.size == plan.chunk_bytes and plan.within(start) != plan.chunks
        )
        if maybe_plain and active == [h5z.FILTER_SHUFFLE]:
            return self._by_library(start)
        try:
            data, swapped = self._undo(where, active, maybe_plain, out, buffers)
        except Damaged:
            if not maybe_plain:
                raise
            return self._by_library(start)
        if swapped:
            return data.view(plan.native)
        stored = data.view(plan.dtype)
        return stored if plan.dtype.isnative else stored.byteswap().view(plan.native)

    def _undo(
        self, where: Chunk, active: list[int], maybe_plain: bool, out: Bytes, buffers: Buffers
    ) -> tuple[Bytes, bool]:
        """The chunk's bytes, and whether they were brought into native order on the way."""
        n, itemsize = self._plan.chunk_bytes, self._plan.dtype.itemsize
        checksums = 4 * active.count(h5z.FILTER_FLETCHER32)
        if h5z.FILTER_DEFLATE in active:
            # Deflate of what does not compress adds less than 0.1 %.
            if not 0 < where.size <= n + n // 8 + 1024 + checksums:
                raise ChunkError(f"it is stored in {where.size} bytes, for {n}")
        elif where.size != n + checksums and not maybe_plain:
            raise ChunkError(f"it is stored in {where.size} bytes, not {n + checksums}")
        data = buffers.take("stored", where.size, where.size // 8) if active else out
        self._raw.read_into(data, where.offset)
        swapped = False
        for i in reversed(range(len(active))):
            if active[i] == h5z.FILTER_FLETCHER32:
                data = hdf5filters.check_fletcher32(data)
            elif active[i] == h5z.FILTER_DEFLATE:
                size = n + 4 * active[:i].count(h5z.FILTER_FLETCHER32)
                data = np.frombuffer(hdf5filters.inflate(data, size), np.uint8)
            elif itemsize > 1:
                # A shuffle that was not the first filter saw more than the elements.
                swapped = i == 0 and not self._plan.dtype.isnative
                target = out if len(data) == len(out) else np.empty(len(data), np.uint8)
                scratch = min(hdf5filters.scratch_size(itemsize), len(data))
                hdf5filters.unshuffle(
                    data, target, itemsize, buffers.take("scratch", scratch), swap=swapped
                )
                data = target
        if len(data) != n:
            raise ChunkError(f"it decodes to {len(data)} bytes, not {n}")
        return data, swapped

    def _by_library(self, start: tuple[int, ...]) -> Array:
        plan = self._plan
        part = np.zeros(plan.within(start), plan.native)
        LibrarySource(self._dsid, plan.dtype).read_into(part, start)
        whole = np.zeros(plan.chunks, plan.native)
        whole[tuple(slice(n) for n in part.shape)] = part
        return whole
