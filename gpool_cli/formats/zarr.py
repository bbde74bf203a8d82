"""zarr, versions 2 and 3: a directory of arrays in groups, each array in files of chunks.

It is read here and not by the library zarr, which runs whatever codec a file names (one of them
unpickles), follows links, and believes sizes.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gpool_cli import ceiling, pulse
from gpool_cli.access import DEFAULT_ACCESS, Access
from gpool_cli.errors import InputError, UsageError
from gpool_cli.formats.conventions import packing_note
from gpool_cli.formats.interface import Array, Reader, cut_parts, cut_parts_into_chunks
from gpool_cli.formats.zarrchunks import Chunks
from gpool_cli.formats.zarrmeta import ZarrArray, array_v2, array_v3
from gpool_cli.formats.zarrstore import Store
from gpool_cli.layout import layout_from_dimensions, parse_layout, size_of
from gpool_cli.model import ArrayInfo, Block, Part
from gpool_cli.quantities import bytes_text

_MARKS = ("zarr.json", ".zgroup", ".zarray")
_LAYOUT_ATTRIBUTES = ("layout", "data_format")

# As in HDF5: what declares more, and was hardly ever written, is not read for hours.
_VAST = 16 << 30
_MOST_CHUNKS = 1_000_000
_MOST_DEFLATED = 1100


class ZarrReader(Reader):
    """Reads the arrays of a store, chunk by chunk.

    Args:
        path: Its directory.
    """

    def __init__(self, path: str, access: Access = DEFAULT_ACCESS) -> None:
        super().__init__(path, access)
        if not os.path.isdir(path):
            if os.path.getsize(path) == 0:
                raise InputError("is empty", "there is no array in it")
            raise InputError("is no zarr store: that is a directory", "unpack it, if it is packed")
        self._store = Store(path)
        self._arrays: dict[str, ZarrArray] = {}
        if not any(os.path.lexists(os.path.join(path, mark)) for mark in _MARKS):
            raise InputError(
                "is no zarr store", "it has neither zarr.json nor .zgroup nor .zarray in it"
            )

    def arrays(self) -> Iterator[ArrayInfo]:
        waiting = [""]
        while waiting:
            name = waiting.pop()
            try:
                node = self._node(name)
                if node is None:
                    continue  # A directory that is no part of the store.
                array, attributes = node
                if array is not None:
                    yield self._describe(name, array, attributes)
                    continue
                below = self._store.members(name)
            except InputError as error:
                # The others may be good.
                yield ArrayInfo(name, (), None, error.message, "unknown", broken=bool(error.hint))
                continue
            waiting += [f"{name}/{one}" if name else one for one in reversed(below)]

    def blocks(
        self, info: ArrayInfo, parts: Sequence[Part] | None = None
    ) -> Iterator[tuple[Block, Array]]:
        array = self._arrays.get(info.dataset) or self._array_named(info.dataset)
        parts = parts if parts is not None else cut_parts(info)
        count = sum(_count(part.of(array.shape), array.chunks) for part in parts)
        chunks = Chunks(self._store, info.dataset, array, count)
        ceiling.make_room(size_of(array.chunks) * array.dtype.itemsize)
        for block in cut_parts_into_chunks(info, parts):
            pulse.read()
            yield block, chunks.read(block)

    def _node(self, name: str) -> tuple[ZarrArray | None, Mapping[str, Any]] | None:
        """An array, or None for a group, and its attributes; None where there is neither.

        Raises:
            InputError: Its metadata are damaged.
        """
        at = f"{name}/" if name else ""
        said = self._store.read_json(f"{at}zarr.json")
        if said is not None:
            attributes = said.get("attributes")
            found = attributes if isinstance(attributes, dict) else {}
            names = said.get("dimension_names")
            if said.get("node_type") != "array":
                return None, found
            return array_v3(said), {"_ARRAY_DIMENSIONS": names, **found}
        said = self._store.read_json(f"{at}.zarray")
        if said is not None:
            return array_v2(said), self._store.read_json(f"{at}.zattrs") or {}
        if self._store.read_json(f"{at}.zgroup") is not None:
            return None, {}
        return None

    def _array_named(self, name: str) -> ZarrArray:
        node = self._node(name)
        if node is None or node[0] is None:
            raise InputError("has changed since it was listed", "is it still being written?")
        return node[0]

    def _describe(self, name: str, array: ZarrArray, attributes: Mapping[str, Any]) -> ArrayInfo:
        self._arrays[name] = array
        nbytes = size_of(array.shape) * array.dtype.itemsize
        refusal = ""
        count = _count(array.shape, array.chunks)
        if nbytes > _VAST or count > _MOST_CHUNKS:
            stored = self._store.stored_bytes(name)
            if stored * _MOST_DEFLATED < nbytes:
                there = bytes_text(stored)
                refusal = f"declares {bytes_text(nbytes)}, of which {there} were ever written"
        return ArrayInfo(
            dataset=name,
            shape=array.shape,
            dtype=array.dtype,
            refusal=refusal,
            file_layout=_file_layout(attributes, len(array.shape)),
            chunks=array.chunks,
            filters=tuple(codec.name for codec in reversed(array.codecs)),
            broken=bool(refusal),
            narrow=array.narrow,
            note=packing_note(attributes),
        )


def _count(shape: Sequence[int], chunks: Sequence[int]) -> int:
    """How many chunks a shape takes."""
    return math.prod(-(-a // b) for a, b in zip(shape, chunks, strict=True))


def _file_layout(attributes: Mapping[str, Any], rank: int) -> str | None:
    """The store's own word for the axes: an attribute, or the names of the dimensions."""
    for attribute in _LAYOUT_ATTRIBUTES:
        word = attributes.get(attribute)
        if isinstance(word, str):
            try:
                return parse_layout(word)
            except UsageError:
                continue
    names = attributes.get("_ARRAY_DIMENSIONS")
    if not isinstance(names, list) or len(names) != rank:
        return None
    return layout_from_dimensions([name if isinstance(name, str) else "" for name in names])
