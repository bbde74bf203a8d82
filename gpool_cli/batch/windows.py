"""Any box of a mask or a weights map, whatever its format: read in windows, of which some are kept.

A window is some rows along the first axis in memory, about as long as a block. The next block, the
next map, and the next input often need the same ones: the windows used last stay in memory, and a
mask that all inputs share is read once by each worker.

A box that crosses more windows than can be kept, as every box does of a large mask in the opposite
memory order to its map, is cut out of a slab: a larger box, for which all windows are read once,
and which serves many blocks.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gpool_cli import pulse
from gpool_cli.access import Access
from gpool_cli.batch.contents import what_there_is
from gpool_cli.batch.keptwindows import KeptWindows, Key, Slab
from gpool_cli.batch.maskvalues import as_mask, as_weights
from gpool_cli.errors import InputError
from gpool_cli.formats.dtypes import usable_dtype
from gpool_cli.formats.interface import BLOCK_BYTES, Array, Parts, Reader, cut_parts
from gpool_cli.formats.opening import format_of, open_reader
from gpool_cli.layout import shape_text, size_of
from gpool_cli.model import ArrayInfo
from gpool_cli.quantities import bytes_text

# What windows may take together, in each process.
KEPT_BYTES = 32 << 20

_kept = KeptWindows(KEPT_BYTES)


class Windows:
    """One array, of which boxes are read. Close it when it is done with.

    Attributes:
        info: What its header says.

    Args:
        path: Its file.
        dataset: Its name in a container; '' for the only one there.
        mask: Its values must be 0 or 1, and become bool; others are weights.
        access: How the file is opened; its view is that of the maps alone.

    Raises:
        InputError: It is not there, or can't be read as what it should be.
    """

    def __init__(self, path: str, dataset: str, mask: bool, access: Access) -> None:
        access = replace(access, view="")
        self._path, self._mask, self._access = path, mask, access
        self._reader: Reader | None = None
        self._key: Key = (*_identity(path), dataset, mask, access)
        self._given: Array | None = None
        if is_written_out(path):
            values = _written_out(path)
            self._given = as_mask(values) if mask else as_weights(values)
            self.info = ArrayInfo("", values.shape, values.dtype)
            self._parts = _whole(self.info)
            return
        known = _kept.info(self._key)
        if known is None:
            try:
                known = self._look(dataset)
            except BaseException:
                self.close()
                raise
            _kept.keep_info(self._key, known)
        self.info, self._parts = known

    def _look(self, dataset: str) -> tuple[ArrayInfo, Parts]:
        """Find the array, and how it is cut into windows."""
        reader = self._opened()
        infos = list(reader.arrays())
        container = format_of(self._path).container
        info = _the_one(infos, dataset) if dataset or container or len(infos) > 1 else infos[0]
        if info.refusal or info.dtype is None:
            raise InputError(info.refusal or "holds no numbers", "save it as an array of numbers")
        if size_of(info.shape) == 0:
            raise InputError(f"has no values: its shape is {shape_text(info.shape)}")
        parts = cut_parts(info, BLOCK_BYTES)
        if reader.sequential:
            parts = _whole(info)
        nbytes = size_of(parts[0].of(info.memory_shape)) * info.dtype.itemsize
        if nbytes > self._access.max_memory:
            raise InputError(
                f"is read {bytes_text(nbytes)} at a time, which is more than --max-memory",
                "save it as .npy, or in smaller chunks",
            )
        return info, parts

    def box(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Array:
        """The values of a box, in the array's own order of axes: bool of a mask.

        Raises:
            InputError: They can't be read, or are none of a mask or of weights.
        """
        if self.info.fortran:
            start, shape = start[::-1], shape[::-1]
        if self._crosses_many(start, shape):
            values = self._cut_out(start, shape)
        else:
            values = self._put_together(start, shape, self._window)
        return values.T if self.info.fortran else values

    def _numbers(self, start: tuple[int, ...], shape: tuple[int, ...]) -> range:
        """The windows that a box crosses."""
        axis, step = self._parts.axis, self._parts.step
        return range(start[axis] // step, -(-(start[axis] + shape[axis]) // step))

    def _crosses_many(self, start: tuple[int, ...], shape: tuple[int, ...]) -> bool:
        """Whether the windows that a box crosses can't all be kept."""
        count = len(self._numbers(start, shape))
        window = size_of(self._parts[0].of(self.info.memory_shape)) * self._dtype.itemsize
        return count > 1 and count * window > _kept.room

    def _put_together(
        self, start: tuple[int, ...], shape: tuple[int, ...], window: Callable[[int], Array]
    ) -> Array:
        """The values of a box, from its windows."""
        axis, numbers = self._parts.axis, self._numbers(start, shape)
        within = [slice(a, a + n) for a, n in zip(start, shape, strict=True)]
        whole = None if len(numbers) == 1 else np.empty(shape, self._dtype)
        for number in numbers:
            part = self._parts[number]
            first, last = max(start[axis], part.first), min(start[axis] + shape[axis], part.last)
            within[axis] = slice(first - part.first, last - part.first)
            piece = window(number)[tuple(within)]
            if whole is None:
                return piece
            rows = slice(first - start[axis], last - start[axis])
            whole[(slice(None),) * axis + (rows,)] = piece
        assert whole is not None
        return whole

    def _cut_out(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Array:
        """The values of a box, from a slab that holds it."""
        key = (*self._key, "slab")
        slab = _kept.window(key)
        if slab is None or not slab.holds(start, shape):
            _kept.forget(key)
            begin, size = self._around(start, shape)
            slab = Slab(begin, self._put_together(begin, size, self._read))
            _kept.keep(key, slab)
        sides = zip(start, slab.start, shape, strict=True)
        return slab.values[tuple(slice(a - b, a - b + n) for a, b, n in sides)]

    def _around(
        self, start: tuple[int, ...], shape: tuple[int, ...]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """A slab of half of what may be kept: a box, and what is likely to be asked for next.

        The blocks of a map in the opposite order go along the first axis fastest.
        """
        begin, size = list(start), list(shape)
        room = _kept.room // 2 // self._dtype.itemsize
        for axis, length in enumerate(self.info.memory_shape):
            most = room // (size_of(tuple(size)) // size[axis])
            if most >= length:
                begin[axis], size[axis] = 0, length
            else:
                size[axis] = max(size[axis], min(most, length - begin[axis]))
        return tuple(begin), tuple(size)

    def _window(self, number: int) -> Array:
        if self._given is not None:
            return self._given
        key = (*self._key, number)
        window = _kept.window(key)
        if window is None:
            window = Slab((), self._read(number))
            _kept.keep(key, window)
        return window.values

    def _read(self, number: int) -> Array:
        """A window as it is in the file."""
        pulse.read()
        part, reader = self._parts[number], self._opened()
        window = np.empty(part.of(self.info.memory_shape), self._dtype)
        for block, values in reader.blocks(self.info, None if reader.sequential else [part]):
            box = [slice(a, a + n) for a, n in zip(block.start, block.shape, strict=True)]
            rows = box[part.axis]
            box[part.axis] = slice(rows.start - part.first, rows.stop - part.first)
            window[tuple(box)] = as_mask(values) if self._mask else as_weights(values)
        pulse.work()
        return window

    @property
    def _dtype(self) -> np.dtype[Any]:
        """What the values are in memory."""
        assert self.info.dtype is not None
        return np.dtype(bool) if self._mask else self.info.dtype.newbyteorder("=")

    def _opened(self) -> Reader:
        if self._reader is None:
            self._reader = open_reader(self._path, self._access)
        return self._reader

    def close(self) -> None:
        """Close the file, if it was opened."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _whole(info: ArrayInfo) -> Parts:
    parts = cut_parts(info)
    return Parts(parts.axis, parts.length, parts.length)


def is_written_out(path: str) -> bool:
    """Whether a mask is no file but the numbers themselves: ``[[1, 1, 0], [0, 1, 0]]``."""
    return path.startswith("[") and path.rstrip().endswith("]") and not os.path.lexists(path)


def _written_out(text: str) -> Array:
    import json

    try:
        values = np.array(json.loads(text))
    except (ValueError, RecursionError):
        values = np.array(None)
    if usable_dtype(values.dtype) or not values.size:
        raise InputError("is no list of lists of numbers", "write [[1, 0], [1, 1]], or name a file")
    return values


def _identity(path: str) -> Key:
    """What tells a file from others, and from itself before a change.

    Raises:
        InputError: It is not there.
    """
    if is_written_out(path):
        return (path,)
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise InputError("is not there", "check the name") from None
        raise InputError(f"can't be read: {getattr(error, 'strerror', error)}") from None
    return path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _the_one(infos: list[ArrayInfo], dataset: str) -> ArrayInfo:
    """The array of that name, or the only one that holds numbers."""
    if dataset:
        for info in infos:
            if info.dataset == dataset:
                return info
        raise InputError("is not there", what_there_is(infos))
    usable = [info for info in infos if not info.refusal]
    if len(usable) != 1:
        several = "holds several arrays" if usable else "holds no array"
        raise InputError(several, what_there_is(infos))
    return usable[0]
