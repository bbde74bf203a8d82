"""Small HDF5 datasets of one shape that lie in one piece each, read into one buffer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from gpool_cli import pulse
from gpool_cli.formats.buffers import Buffers
from gpool_cli.formats.dtypes import as_native
from gpool_cli.formats.hdf5filters import ChunkError
from gpool_cli.formats.hdf5raw import RawFile
from gpool_cli.formats.interface import BLOCK_BYTES, Array
from gpool_cli.model import ArrayInfo


def read_side_by_side(raw: RawFile, infos: Sequence[ArrayInfo], buffers: Buffers) -> Array:
    """Read arrays, as `gpool_cli.formats.interface.Reader.side_by_side` does.

    Args:
        raw: The file that they should lie in.
        infos: The arrays.
        buffers: Where the values may lie.
    """
    first = infos[0]
    assert first.dtype is not None
    buffer, count = buffers.take("block", BLOCK_BYTES), 0
    for info in islice(infos, BLOCK_BYTES // first.nbytes):
        end = (count + 1) * first.nbytes
        if info.place is None or info.place[1] != raw.identity:
            break
        pulse.read()
        try:
            raw.read_into(buffer[end - first.nbytes : end], info.place[0])
        except (ChunkError, OSError):
            break
        count += 1
    values = buffer[: count * first.nbytes].view(first.dtype)
    return as_native(values.reshape(count, *first.memory_shape))
