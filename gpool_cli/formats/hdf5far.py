"""An HDF5 file behind a URL, read by offset: what a block needs is fetched before its time."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import h5py
import numpy as np

from gpool_cli.formats.buffers import Bytes
from gpool_cli.formats.hdf5chunks import Chunk
from gpool_cli.formats.hdf5filters import ChunkError
from gpool_cli.formats.hdf5layouts import ChunkedSource, ContiguousSource
from gpool_cli.formats.hdf5raw import RawFile, knows_chunks
from gpool_cli.formats.hdf5source import Source
from gpool_cli.layout import size_of
from gpool_cli.model import Block
from gpool_cli.remote.file import RemoteFile

Place = tuple[int, int]


class FarFile(RawFile):
    """The bytes of a file behind a URL beside h5py's view of it.

    Args:
        file: The file, which h5py reads too.
        h5: h5py's view.
    """

    leaves_small = False  # HDF5 would ask for every chunk when its time has come.

    def __init__(self, file: RemoteFile, h5: h5py.File) -> None:
        self._file = file
        self.size, self.identity = file.size, file.identity
        self._knows_chunks = knows_chunks(h5)

    def close(self) -> None:
        """The file is closed by whoever opened it."""

    def contiguous(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int
    ) -> Source | None:
        nbytes = size_of(shape) * dtype.itemsize
        if not nbytes or offset + nbytes > self.size:
            return None
        return _FarContiguous(self, shape, dtype, offset)

    def chunked(
        self, dsid: Any, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: tuple[int, ...]
    ) -> Source | None:
        plan = self.plan_of(dsid, shape, dtype, chunks)
        return _FarChunked(self, plan, dsid) if plan is not None else None

    def announce(self, source: Source, blocks: Iterable[Block]) -> None:
        """Say which blocks of a source will be read next, in this order."""
        if isinstance(source, (_FarContiguous, _FarChunked)):
            self._file.will_read(itertools.chain.from_iterable(map(source.places, blocks)))

    def fill(self, view: Bytes, offset: int) -> None:
        self._file.read_into(view.data, offset)


class _FarContiguous(ContiguousSource):
    def places(self, block: Block) -> Iterator[Place]:
        """Where the values of a block lie: from the first byte to before the last."""
        first = self.first_byte(block)
        yield first, first + size_of(block.shape) * self.dtype.itemsize


class _FarChunked(ChunkedSource):
    def places(self, block: Block) -> Iterator[Place]:
        """Where the chunks of a block lie, as far as the index is good."""
        try:
            found = [self.stored(start) for start in self.starts(block)]
        except ChunkError:
            return  # It is said when the block is read.
        yield from map(_place, filter(None, found))


def _place(chunk: Chunk) -> Place:
    return chunk.offset, chunk.offset + chunk.size
