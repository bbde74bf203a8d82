"""npy as a stream: values read in the order of memory, arrays written, in any binary file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.formats.interface import Array, as_native, cut_rows
from gpool_cli.formats.npyheader import NpyHeader
from gpool_cli.model import Block


def read_values(
    header: NpyHeader, readinto: Callable[[memoryview], int]
) -> Iterator[tuple[Block, Array]]:
    """Yield blocks in the axis order of memory, all in one reused buffer.

    Args:
        header: What comes.
        readinto: Fills a buffer as far as it can; 0 at the end.

    Raises:
        InputError: The values end early.
    """
    buffer = bytearray()
    for block in cut_rows(header.memory_shape, header.dtype.itemsize):
        size = math.prod(block.shape) * header.dtype.itemsize
        if len(buffer) < size:
            buffer = bytearray(size)
        view = memoryview(buffer)[:size]
        filled = 0
        while filled < size:
            count = readinto(view[filled:])
            if not count:
                raise InputError(
                    f"ends {size - filled} bytes short inside its values",
                    "copy or save the file again",
                )
            filled += count
        yield block, as_native(np.frombuffer(view, header.dtype).reshape(block.shape))


def write_array(file: BinaryIO, values: Array) -> None:
    """Write one array as npy; an error of the file system is raised, whatever the size."""
    write_header(file, values.shape, values.dtype)
    file.write(np.ascontiguousarray(values).data)


def write_header(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
    """Write the header of a C-ordered array."""
    described = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)
