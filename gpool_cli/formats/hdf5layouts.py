"""Reads contiguous and chunked HDF5 datasets out of raw bytes: what h5py knows of them is given."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from h5py import h5z

from gpool_cli.errors import InputError
from gpool_cli.formats import hdf5filters
from gpool_cli.formats.buffers import Buffers, Bytes
from gpool_cli.formats.dtypes import as_native
from gpool_cli.formats.hdf5chunks import Chunk, ChunkIndex
from gpool_cli.formats.hdf5filters import ChunkError, Damaged
from gpool_cli.formats.hdf5source import HINT, LibrarySource
from gpool_cli.formats.interface import Array
from gpool_cli.layout import size_of
from gpool_cli.model import Block


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
        self._raw, self._shape, self.dtype, self._offset = raw, shape, dtype, offset

    def first_byte(self, block: Block) -> int:
        """Where the values of a block begin."""
        first = 0
        for at, length in zip(block.start, self._shape, strict=True):
            first = first * length + at
        return self._offset + first * self.dtype.itemsize

    def read(self, block: Block, buffers: Buffers) -> Array:
        data = buffers.take("block", size_of(block.shape) * self.dtype.itemsize)
        try:
            self._raw.read_into(data, self.first_byte(block))
        except ChunkError as error:
            raise InputError(f"can't be read at {block.start}: {error}", HINT) from None
        return as_native(data.view(self.dtype).reshape(block.shape))


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

    def __init__(self, raw: RawBytes, plan: Plan, dsid: Any) -> None:
        self._raw, self._plan, self._dsid = raw, plan, dsid

    def read(self, block: Block, buffers: Buffers) -> Array:
        plan = self._plan
        if block.shape[0] <= plan.chunks[0] and block.shape[1:] == plan.chunks[1:]:
            whole = self._chunk(block.start, buffers.take("block", plan.chunk_bytes), buffers)
            return whole[: block.shape[0]]
        size = size_of(block.shape) * plan.dtype.itemsize
        values = buffers.take("block", size).view(plan.native).reshape(block.shape)
        for start in self.starts(block):
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

    def starts(self, block: Block) -> Iterator[tuple[int, ...]]:
        """Where the chunks of a block begin in the array."""
        corners = (
            range(first, first + length, chunk)
            for first, length, chunk in zip(
                block.start, block.shape, self._plan.chunks, strict=True
            )
        )
        return itertools.product(*corners)

    def stored(self, start: tuple[int, ...]) -> Chunk | None:
        """Where the chunk that begins there is stored; None where it was never written."""
        place = 0
        for at, chunk, n in zip(start, self._plan.chunks, self._plan.index.grid, strict=True):
            place = place * n + at // chunk
        return self._plan.index.get(place)

    def _chunk(self, start: tuple[int, ...], out: Bytes, buffers: Buffers) -> Array:
        """One whole chunk, in `out` or in memory of its own."""
        plan = self._plan
        where = self.stored(start)
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
