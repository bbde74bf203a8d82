"""The chunks of a zarr array, each in a file of its own or several in a shard."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.formats.flat import FlatFile
from gpool_cli.formats.interface import Array
from gpool_cli.formats.narrow import as_read
from gpool_cli.formats.zarrcodecs import HINT, Codec
from gpool_cli.formats.zarrmeta import ZarrArray
from gpool_cli.formats.zarrstore import Store
from gpool_cli.model import Block

# No codec makes more than that of what it can't compress.
_OVERHEAD = 1 << 16

# Of so many in a block of work the system is not asked one by one which there are.
_MANY = 10_000

# Offset and length of a chunk that is not in a shard.
_NONE = (1 << 64) - 1


class Chunks:
    """Reads the values of one array.

    Args:
        store: The store.
        name: The array's path in it.
        array: How its values lie there.
        count: How many of them will be asked for, at most.
    """

    def __init__(self, store: Store, name: str, array: ZarrArray, count: int) -> None:
        self._store, self._array = store, array
        self._there = store.files_below(name) if count >= _MANY else None
        self._prefix = f"{name}/{array.prefix}" if name else array.prefix
        self._index: tuple[str, Any] = ("", None)

    def read(self, block: Block) -> Array:
        """The values of a block: C order, native byte order.

        Raises:
            InputError: They are damaged.
        """
        array = self._array
        values = np.empty(block.shape, array.stored)
        grids = [
            range(start // size, (start + length - 1) // size + 1)
            for start, length, size in zip(block.start, block.shape, array.chunks, strict=True)
        ]
        for place in itertools.product(*grids):
            target, source = [], []
            for at, size, start, length in zip(
                place, array.chunks, block.start, block.shape, strict=True
            ):
                first = max(at * size, start)
                last = min((at + 1) * size, start + length)
                target.append(slice(first - start, last - start))
                source.append(slice(first - at * size, last - at * size))
            values[tuple(target)] = self._chunk(place)[tuple(source)]
        return as_read(values, array.narrow)

    def _chunk(self, place: Sequence[int]) -> Array:
        """The values of one chunk, as they are stored; what was never written is the fill value."""
        array = self._array
        data = self._bytes_of(place)
        if data is None:
            return np.broadcast_to(np.frombuffer(array.fill, array.stored)[0], array.chunks)
        for codec in array.codecs:
            data = codec.decode(data, 2 * array.chunk_bytes + _OVERHEAD)
        if len(data) != array.chunk_bytes:
            raise InputError(
                f"has a chunk of {len(data)} bytes, its shape asks for {array.chunk_bytes}", HINT
            )
        lengths = [array.chunks[axis] for axis in array.order]
        return np.frombuffer(data, array.stored).reshape(lengths).transpose(np.argsort(array.order))

    def _bytes_of(self, place: Sequence[int]) -> bytes | None:
        """A chunk as it lies in the store; None where it was never written."""
        shard = self._array.shard
        if shard is None:
            return self._whole(self._key(place))
        outer = [at // count for at, count in zip(place, shard, strict=True)]
        inner = tuple(at % count for at, count in zip(place, shard, strict=True))
        return self._part(self._key(outer), shard, inner)

    def _key(self, place: Sequence[int]) -> str:
        numbers = self._array.separator.join(map(str, place))
        return self._prefix + (numbers if place or self._array.prefix else "0")

    def _whole(self, key: str) -> bytes | None:
        file = self._open(key)
        if file is None:
            return None
        try:
            return self._read(file, 0, file.size)
        finally:
            file.close()

    def _part(self, key: str, shard: tuple[int, ...], inner: tuple[int, ...]) -> bytes | None:
        file = self._open(key)
        if file is None:
            return None
        try:
            if self._index[0] != key:
                self._index = key, self._index_of(file, shard)
            start, length = map(int, self._index[1][inner])
            if start == length == _NONE:
                return None
            return self._read(file, start, length)
        finally:
            file.close()

    def _open(self, key: str) -> FlatFile | None:
        if self._there is not None and key not in self._there:
            return None
        return self._store.open(key)

    def _index_of(self, file: FlatFile, shard: tuple[int, ...]) -> Array:
        """Where the chunks of a shard lie in its file: two numbers for each."""
        plain = 16 * math.prod(shard)
        size = plain + 4 * self._array.index_checked
        if size > file.size:
            raise InputError("has a shard that is cut off", HINT)
        data = file.read(0 if self._array.index_first else file.size - size, size)
        if self._array.index_checked:
            data = Codec("crc32c").decode(data, plain)
        return np.frombuffer(data, "<u8").reshape(*shard, 2)

    def _read(self, file: FlatFile, start: int, length: int) -> bytes:
        if start + length > file.size:
            raise InputError("has a shard that is cut off", HINT)
        if length > 2 * self._array.chunk_bytes + _OVERHEAD:
            raise InputError(f"has a chunk of {length} bytes, more than its values take", HINT)
        return file.read(start, length)
