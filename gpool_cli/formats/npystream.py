"""npy as a stream: values read in the order of memory, arrays written, in any binary file."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.formats.buffers import borrowed
from gpool_cli.formats.interface import Array, cut_parts_into_rows
from gpool_cli.formats.narrow import as_read, stored_dtype
from gpool_cli.model import ArrayInfo, Block, Part

# What numpy takes for the header of nearly all arrays: their shapes have room to grow.
USUAL_HEADER = 128


def read_values(
    info: ArrayInfo, parts: Sequence[Part], readinto: Callable[[memoryview], int]
) -> Iterator[tuple[Block, Array]]:
    """Yield blocks in the axis order of memory, all in one reused buffer.

    Args:
        info: What comes.
        parts: Which parts of it, without a gap between them.
        readinto: Fills a buffer as far as it can; 0 at the end.

    Raises:
        InputError: The values end early.
    """
    stored = stored_dtype(info)
    with borrowed() as buffers:
        for block in cut_parts_into_rows(info, parts):
            data = buffers.take("block", math.prod(block.shape) * stored.itemsize)
            _fill(data.data, readinto)
            yield block, as_read(data.view(stored).reshape(block.shape), info.narrow)


def _fill(view: memoryview, readinto: Callable[[memoryview], int]) -> None:
    filled = 0
    while filled < len(view):
        count = readinto(view[filled:])
        if not count:
            raise InputError(
                f"ends {len(view) - filled} bytes short inside its values",
                "copy or save the file again",
            )
        filled += count


def write_values(file: BinaryIO, values: Array) -> None:
    """Write values in C order, as they follow a header."""
    file.write(np.ascontiguousarray(values).data)


def header_of(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> bytes:
    """The header of a C-ordered array."""
    header = io.BytesIO()
    described = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, described)
    return header.getvalue()
