"""HDF5: datasets in groups, read chunk by chunk; results with their attributes and labels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import h5py
import numpy as np

from gpool_cli.errors import InputError, UsageError
from gpool_cli.formats.hdf5mirror import Mirror, write_history, write_text
from gpool_cli.formats.hdf5walk import Node, open_item, walk
from gpool_cli.formats.interface import (
    Array,
    Reader,
    Writer,
    WriteStyle,
    cut_parts,
    cut_parts_into_chunks,
    cut_parts_into_rows,
    open_regular,
    usable_dtype,
)
from gpool_cli.formats.naming import member_name
from gpool_cli.formats.rows import RowSpool, label
from gpool_cli.layout import layout_from_names, parse_layout
from gpool_cli.model import ArrayInfo, Block, InputFile, Part, Result
from gpool_cli.printable import printable

_FILTERS = {
    1: "gzip",
    2: "shuffle",
    3: "fletcher32",
    4: "szip",
    5: "nbit",
    6: "scale-offset",
    32000: "lzf",
    32001: "blosc",
    32004: "lz4",
    32008: "bitshuffle",
    32013: "zfp",
    32015: "zstd",
    32026: "blosc2",
}
_LAYOUT_ATTRIBUTES = ("layout", "data_format")


class Hdf5Reader(Reader):
    """Reads the datasets that stand in the file itself.

    Args:
        path: A regular file.
    """

    def __init__(self, path: str) -> None:
        open_regular(path).close()
        if os.path.getsize(path) == 0:
            raise InputError("is empty", "there is no array in it")
        try:
            # Blocks are whole chunks: a cache of decoded chunks would never be hit.
            self._file = h5py.File(path, "r", rdcc_nbytes=0)
        except (OSError, RuntimeError, ValueError) as error:
            raise InputError(_why_not_open(error), "copy or save the file again") from None

    def arrays(self) -> Iterator[ArrayInfo]:
        for node in walk(self._file["/"].id):
            if not node.is_group:
                yield _describe(node)

    def blocks(
        self, info: ArrayInfo, parts: Sequence[Part] | None = None
    ) -> Iterator[tuple[Block, Array]]:
        dataset = h5py.Dataset(open_item(self._file["/"].id, info.dataset))
        _check_filters(dataset)
        assert info.dtype is not None
        native = info.dtype.newbyteorder("=")
        parts = parts if parts is not None else cut_parts(info)
        if info.chunks is None:
            cut = cut_parts_into_rows(info, parts)
        else:
            cut = cut_parts_into_chunks(info, parts)
        buffer = np.empty(0, np.uint8)
        for block in cut:
            size = int(np.prod(block.shape)) * native.itemsize
            if buffer.nbytes < size:
                buffer = np.empty(size, np.uint8)
            values = buffer[:size].view(native).reshape(block.shape)
            box = tuple(slice(a, a + n) for a, n in zip(block.start, block.shape, strict=True))
            try:
                dataset.read_direct(values, box)
            except (OSError, RuntimeError, ValueError) as error:
                raise InputError(
                    f"can't be read at {block.start}: {printable(str(error))}",
                    "copy or save the file again",
                ) from None
            yield block, values

    def close(self) -> None:
        self._file.close()


def _why_not_open(error: Exception) -> str:
    said = printable(str(error))
    if "file signature not found" in said:
        return "is no HDF5 file"
    return f"can't be opened as HDF5: {said}"


def _describe(node: Node) -> ArrayInfo:
    """What the header of a dataset says; a damaged one says that."""
    if node.item is None:
        return ArrayInfo(node.name, (), None, node.reason, "link", broken=node.broken)
    try:
        return _describe_dataset(node)
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        reason = f"can't be understood: {printable(str(error))}"
        return ArrayInfo(node.name, (), None, reason, "unknown", broken=True)


def _describe_dataset(node: Node) -> ArrayInfo:
    dataset = h5py.Dataset(node.item)
    shape = dataset.shape
    dtype, refusal, type_name = _type_of(dataset)
    elsewhere = _lies_elsewhere(dataset)
    if shape is None:
        shape, refusal = (), "has no values"
    plist = node.item.get_create_plist()
    return ArrayInfo(
        dataset=node.name,
        shape=shape,
        dtype=dtype,
        refusal=elsewhere or refusal,
        type_name=type_name,
        file_layout=_file_layout(dataset),
        chunks=dataset.chunks,
        filters=tuple(_filter_name(plist.get_filter(i)) for i in range(plist.get_nfilters())),
        broken=bool(elsewhere),
    )


def _type_of(dataset: h5py.Dataset) -> tuple[np.dtype[Any] | None, str, str]:
    """The dtype, why it can't be pooled, and its name where numpy has none for it."""
    dtype = dataset.dtype
    if h5py.check_string_dtype(dtype) is not None:
        return None, "holds strings", "string"
    if h5py.check_vlen_dtype(dtype) is not None:
        return None, "holds lists", "list"
    if h5py.check_enum_dtype(dtype) is not None:
        return None, "is an enumeration", "enum"
    if h5py.check_ref_dtype(dtype) is not None:
        return None, "holds references", "reference"
    if dtype.names is not None:
        return None, "is compound", "compound"
    return dtype, usable_dtype(dtype), ""


def _lies_elsewhere(dataset: h5py.Dataset) -> str:
    if dataset.is_virtual:
        return "is a virtual dataset, whose values lie in other datasets"
    if dataset.external:
        return "keeps its values in another file"
    return ""


def _file_layout(dataset: h5py.Dataset) -> str | None:
    """The file's own word for the axes: labels, scales, or an attribute; None without one."""
    if "DIMENSION_LABELS" in dataset.attrs or "DIMENSION_LIST" in dataset.attrs:
        names = [_axis_name(axis) for axis in dataset.dims]
        layout = layout_from_names(names)
        if layout is not None:
            return layout
    for attribute in _LAYOUT_ATTRIBUTES:
        if attribute in dataset.attrs:
            word = dataset.attrs[attribute]
            text = word.decode("utf-8", "replace") if isinstance(word, bytes) else word
            if isinstance(text, str) and (layout := _parsed(text)) is not None:
                return layout
    return None


def _parsed(text: str) -> str | None:
    try:
        return parse_layout(text)
    except UsageError:
        return None


def _axis_name(axis: Any) -> str:
    if axis.label:
        return str(axis.label)
    return str(axis[0].name).rsplit("/", 1)[-1] if len(axis) else ""


def _filter_name(described: tuple[Any, ...]) -> str:
    return _FILTERS.get(described[0], f"filter {described[0]}")


def _check_filters(dataset: h5py.Dataset) -> None:
    plist = dataset.id.get_create_plist()
    for i in range(plist.get_nfilters()):
        described = plist.get_filter(i)
        if not h5py.h5z.filter_avail(described[0]):
            raise InputError(
                f"needs the filter {_filter_name(described)}, which is not installed",
                "rewrite the file with: h5repack -f GZIP=4 OLD NEW",
            )


class Hdf5Writer(Writer):
    """Writes one dataset per result under the names of its input, or a stack per pooling."""

    def __init__(self, file: BinaryIO, style: WriteStyle) -> None:
        super().__init__(file, style)
        self._h5 = h5py.File(file, "w")
        self._mirror: Mirror | None = None
        self._stacks: dict[str, RowSpool] = {}
        self._names: list[str] = []

    def begin(self, file: InputFile) -> None:
        self._end_input()
        if not self.style.stack:
            self._mirror = Mirror.of(file, self._h5, self.style)

    def add(self, result: Result) -> None:
        if self.style.stack:
            self._add_rows(result)
            return
        name = member_name(result, self.style)
        if result.start > 0:
            self._h5[name][result.start : result.start + len(result.values)] = result.values
            return
        dataset = self._h5.create_dataset(name, result.shape, result.values.dtype)
        dataset[: len(result.values)] = result.values
        if self._mirror is not None:
            self._mirror.pooled(result.info.dataset, dataset)
        write_text(dataset, "pooling", result.pooling.label)
        write_text(dataset, "layout", result.layout.axes)
        write_text(dataset, "input_dtype", result.info.dtype_name)
        dataset.attrs["input_shape"] = np.array(result.info.shape, np.int64)
        _label_axes(dataset, result.axes)

    def finish(self) -> None:
        self._end_input()
        for name, rows in self._stacks.items():
            dataset = self._h5.create_dataset(name, rows.shape(True), rows.dtype)
            first = 0
            for chunk in rows.chunks():
                dataset[first : first + len(chunk)] = chunk
                first += len(chunk)
            write_text(dataset, "pooling", name)
            rows.close()
        if self._names:
            names = [name.encode("utf-8", "backslashreplace") for name in self._names]
            self._h5.create_dataset(
                "sources", data=np.array(names, object), dtype=h5py.string_dtype()
            )
        write_history(self._h5, self.style.recipe)
        self._h5.close()

    def abandon(self) -> None:
        self._end_input()
        for rows in self._stacks.values():
            rows.close()
        self._h5.close()

    def _add_rows(self, result: Result) -> None:
        first_pooling = result.pooling.label == next(iter(self._stacks), result.pooling.label)
        rows = self._stacks.setdefault(result.pooling.label, RowSpool()).add(result)
        if first_pooling:
            self._names += [label(result)] * rows

    def _end_input(self) -> None:
        if self._mirror is not None:
            self._mirror.close()
            self._mirror = None


def _label_axes(dataset: h5py.Dataset, axes: str) -> None:
    for i, letter in enumerate(axes):
        dataset.dims[i].label = letter
