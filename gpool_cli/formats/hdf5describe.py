"""What the header of an HDF5 dataset says of it, in gpool's words."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d

from gpool_cli.errors import InputError, UsageError
from gpool_cli.formats.hdf5external import Outside
from gpool_cli.formats.hdf5opening import DAMAGE
from gpool_cli.formats.hdf5packing import read_packing
from gpool_cli.formats.hdf5raw import RawFile, offset_of
from gpool_cli.formats.hdf5source import filter_names
from gpool_cli.formats.hdf5types import TypeTable
from gpool_cli.formats.hdf5walk import Node
from gpool_cli.layout import layout_from_dimensions, layout_from_names, parse_layout, size_of
from gpool_cli.model import ArrayInfo
from gpool_cli.printable import printable
from gpool_cli.quantities import bytes_text

_LAYOUT_ATTRIBUTES = ("layout", "data_format")

# To read 16 GB takes seconds, and deflate makes nothing smaller than a thousandth: only a dataset
# of which next to nothing was written is larger, and takes no more of the file than that.
_VAST = 16 << 30
_MOST_DEFLATED = 1100


def is_annotated(item: Any) -> bool:
    """Whether a low-level group or dataset may have attributes."""
    try:
        return bool(h5a.get_num_attrs(item))
    except DAMAGE:
        return True  # What is wrong is found by who reads them.


def describe(
    node: Node, annotated: bool, types: TypeTable, raw: RawFile | None, outside: Outside | None
) -> ArrayInfo:
    """What the header of a dataset says; a damaged one says that.

    Args:
        node: The dataset.
        annotated: Whether it may have attributes.
        types: The types that were met so far.
        raw: The bytes of its file; None where only HDF5 reads them.
        outside: The other files that may be read; None where none may.
    """
    if node.item is None:
        broken = node.broken
        return ArrayInfo(node.name, (), None, node.reason, "link", broken=broken, closed=broken)
    try:
        return _describe_dataset(node, annotated, types, raw, outside)
    except DAMAGE as error:
        reason = f"can't be understood: {printable(str(error))}"
        return ArrayInfo(node.name, (), None, reason, "unknown", broken=True)


def _describe_dataset(
    node: Node, annotated: bool, types: TypeTable, raw: RawFile | None, outside: Outside | None
) -> ArrayInfo:
    dtype, refusal, type_name, plain = types.of(node.item)
    chunks: tuple[int, ...] | None = None
    filters: tuple[str, ...] = ()
    elsewhere, virtual = "", False
    offset = offset_of(node.item)
    if offset is None:
        plist = node.item.get_create_plist()
        chunks = plist.get_chunk() if plist.get_layout() == h5d.CHUNKED else None
        virtual = plist.get_layout() == h5d.VIRTUAL
        filters = filter_names(plist)
        elsewhere = _lies_elsewhere(node.item, plist, outside)
    elif outside is not None and outside.is_other(node.item):
        offset = None
    # HDF5 opens the sources of a virtual dataset to know its shape: only when they may be.
    shape = () if elsewhere else node.item.shape
    if shape is None:
        shape, refusal = (), "has no values"
    if not elsewhere and not virtual:
        elsewhere = _never_written(node.item, shape, dtype)
    return ArrayInfo(
        dataset=node.name,
        shape=shape,
        dtype=dtype,
        refusal=elsewhere or refusal,
        type_name=type_name,
        file_layout=_file_layout(node.item) if annotated else None,
        chunks=chunks,
        place=(offset, raw.identity) if plain and raw is not None and offset is not None else None,
        filters=filters,
        broken=bool(elsewhere),
        packing=read_packing(node.item, dtype) if annotated else None,
    )


def _lies_elsewhere(dsid: Any, plist: Any, outside: Outside | None) -> str:
    """Why a dataset can't be read whose values are not in it; '' where it can."""
    virtual = plist.get_layout() == h5d.VIRTUAL
    if not virtual and not plist.get_external_count():
        return ""
    if outside is None:
        what = "is virtual: its values lie in other datasets"
        where = what if virtual else "keeps its values in another file"
        return f"{where}, which only --follow-external reads"
    try:
        if virtual:
            outside.check_virtual(dsid)
        else:
            outside.segments(dsid)
    except InputError as error:
        return error.message
    return ""


def _never_written(dsid: Any, shape: tuple[int, ...], dtype: np.dtype[Any] | None) -> str:
    """Why an array is too empty to be read; '' for all that somebody may have made in earnest."""
    nbytes = size_of(shape) * dtype.itemsize if dtype is not None else 0
    if nbytes <= _VAST:
        return ""
    stored = dsid.get_storage_size()
    if stored * _MOST_DEFLATED >= nbytes:
        return ""
    return f"declares {bytes_text(nbytes)}, of which {bytes_text(stored)} were ever written"


def _file_layout(dsid: Any) -> str | None:
    """The file's own word for the axes: labels, scales, or an attribute; None without one."""
    dataset = h5py.Dataset(dsid)
    if "DIMENSION_LABELS" in dataset.attrs or "DIMENSION_LIST" in dataset.attrs:
        names = [_axis_name(axis) for axis in dataset.dims]
        layout = layout_from_names(names)
        if layout is None and _has_netcdf_dimensions(dataset):
            layout = layout_from_dimensions(names)
        if layout is not None:
            return layout
    for attribute in _LAYOUT_ATTRIBUTES:
        if attribute in dataset.attrs:
            word = dataset.attrs[attribute]
            text = word.decode("utf-8", "replace") if isinstance(word, bytes) else word
            if isinstance(text, str) and (layout := _parsed(text)) is not None:
                return layout
    return None


def _has_netcdf_dimensions(dataset: h5py.Dataset) -> bool:
    """Whether netCDF-4 wrote an array: its file says so, or the scale of an axis does."""
    if "_NCProperties" in dataset.file.attrs or "_Netcdf4Dimid" in dataset.attrs:
        return True
    try:
        return any(len(axis) and "_Netcdf4Dimid" in axis[0].attrs for axis in dataset.dims)
    except RuntimeError:
        return False  # A scale is gone.


def _parsed(text: str) -> str | None:
    try:
        return parse_layout(text)
    except UsageError:
        return None


def _axis_name(axis: Any) -> str:
    if axis.label:
        return str(axis.label)
    try:
        return str(axis[0].name).rsplit("/", 1)[-1] if len(axis) else ""
    except RuntimeError:
        return ""  # The scale is gone, which takes nothing from the values.
