"""Where the values of an HDF5 dataset come from: the interface, and reading through HDF5 itself."""

from __future__ import annotations

import importlib
import math
from typing import Any, Protocol

import numpy as np
from h5py import h5d, h5s, h5z

from gpool_cli import pulse
from gpool_cli.errors import InputError
from gpool_cli.formats.buffers import Buffers
from gpool_cli.formats.dtypes import as_native
from gpool_cli.formats.interface import Array
from gpool_cli.heap import keep_freed
from gpool_cli.model import Block
from gpool_cli.printable import printable

_FILTERS = {
    1: "gzip",
    2: "shuffle",
    3: "fletcher32",
    4: "szip",
    5: "nbit",
    6: "scale-offset",
    307: "bzip2",
    32000: "lzf",
    32001: "blosc",
    32004: "lz4",
    32008: "bitshuffle",
    32013: "zfp",
    32015: "zstd",
    32017: "sz",
    32018: "fcidecomp",
    32024: "sz3",
    32026: "blosc2",
    32028: "sperr",
}

_IN_HDF5PLUGIN = {307, 32001, 32004, 32008, 32013, 32015, 32017, 32018, 32024, 32026, 32028}

HINT = "copy or save the file again"


class Source(Protocol):
    """The values of one dataset, block by block."""

    def read(self, block: Block, buffers: Buffers) -> Array:
        """The values of a block: C order, native byte order, valid until the next one is read.

        Args:
            block: One of those that the dataset is cut into.
            buffers: Where the values may lie.

        Raises:
            InputError: They are damaged.
        """


class LibrarySource:
    """Reads through the HDF5 library, which can read everything, one thread at a time.

    Args:
        dsid: The low-level dataset.
        dtype: Its dtype.
    """

    def __init__(self, dsid: Any, dtype: np.dtype[Any]) -> None:
        plist = dsid.get_create_plist()
        need_filters(plist)
        if plist.get_nfilters():
            # HDF5 and its filters take two or three buffers for a chunk, and free them after it.
            keep_freed(4 * math.prod(plist.get_chunk()) * dtype.itemsize)
        self._dsid = dsid
        self._space = dsid.get_space()
        self._native = dtype.newbyteorder("=")
        self._may_leave_gaps = fill_value(plist, self._native) is None

    def read(self, block: Block, buffers: Buffers) -> Array:
        size = math.prod(block.shape) * self._native.itemsize
        values = buffers.take("block", size).view(self._native).reshape(block.shape)
        if self._may_leave_gaps:
            values.fill(0)
        self.read_into(values, block.start)
        return as_native(values)

    def read_into(self, values: Array, start: tuple[int, ...]) -> None:
        """Fill an array with what begins there."""
        try:
            self._space.select_hyperslab(start, values.shape)
            self._dsid.read(h5s.create_simple(values.shape), self._space, values)
        except (OSError, RuntimeError, ValueError) as error:
            raise InputError(f"can't be read at {start}: {printable(str(error))}", HINT) from None


def fill_value(plist: Any, dtype: np.dtype[Any]) -> Any:
    """What stands where nothing was ever written; None where HDF5 would leave memory as it is."""
    if plist.get_fill_time() == h5d.FILL_TIME_NEVER:
        return None
    if plist.fill_value_defined() == h5d.FILL_VALUE_UNDEFINED:
        return None
    value = np.zeros((), dtype)
    plist.get_fill_value(value)
    return value[()]


def filter_names(plist: Any) -> tuple[str, ...]:
    """The filters of a dataset, as people call them."""
    codes = (plist.get_filter(i)[0] for i in range(plist.get_nfilters()))
    return tuple(_filter_name(code) for code in codes)


def _filter_name(code: int) -> str:
    return _FILTERS.get(code, f"filter {code}")


def need_filters(plist: Any) -> None:
    """Refuse what no filter is there for; hdf5plugin is imported where it may help."""
    for i in range(plist.get_nfilters()):
        code = plist.get_filter(i)[0]
        if h5z.filter_avail(code) or (_has_hdf5plugin() and h5z.filter_avail(code)):
            continue
        hint = "rewrite the file with: h5repack -f GZIP=4 OLD NEW"
        if code in _IN_HDF5PLUGIN and not _has_hdf5plugin():
            hint = "install it with: pip install 'gpool[codecs]'"
        raise InputError(f"needs the filter {_filter_name(code)}, which is not installed", hint)


def _has_hdf5plugin() -> bool:
    """Whether hdf5plugin is installed; its import makes its filters known to HDF5."""
    pulse.work()
    try:
        importlib.import_module("hdf5plugin")
    except ImportError:
        return False
    finally:
        pulse.look()
    return True
