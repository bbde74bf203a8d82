"""Rows of one array, kept until their number and dtype are known."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.formats.interface import BLOCK_BYTES, Array
from gpool_cli.formats.spool import Behind, Spool
from gpool_cli.layout import shape_text
from gpool_cli.model import Result
from gpool_cli.printable import printable


class SameShape:
    """Holds the rows of one output to one shape."""

    def __init__(self) -> None:
        self._first: Result | None = None
        self.shape: tuple[int, ...] = ()

    def rows_of(self, result: Result) -> Array:
        """The result with its batch axis in front, shape (rows, ...).

        Raises:
            InputError: Its rows have another shape than the first result's.
        """
        rows = batch_first(result)
        if self._first is None:
            self._first, self.shape = result, rows.shape[1:]
        elif rows.shape[1:] != self.shape:
            first = self._first
            raise InputError(
                f"gives rows of {shape_text(rows.shape[1:])} (map {shape_text(result.info.shape)}),"
                f" but {label(first)} gives {shape_text(self.shape)} "
                f"(map {shape_text(first.info.shape)})",
                "one output array has one row shape: choose .h5, .npz, .jsonl or a directory",
            )
        return rows


def batch_first(result: Result) -> Array:
    """The values of a result with the batch axis in front, added where there is none."""
    if "N" not in result.axes:
        return result.values[np.newaxis]
    place = result.axes.index("N")
    return np.moveaxis(result.values, place, 0) if place else result.values


def by_part(result: Result) -> Iterator[tuple[str, Result]]:
    """The results that text formats write: one, or one for each number that a channel has.

    Yields:
        What each is called, and its values with one number a channel.
    """
    name = result.pooling.label
    if not result.parts_of_value:
        yield name, result
    for i, part in enumerate(result.parts_of_value):
        values = result.values[..., i]
        yield f"{name}.{part}", replace(result, values=values, axes=result.axes[:-1])


def label(result: Result) -> str:
    """A result's file and dataset, safe to show."""
    dataset = f":{result.info.dataset}" if result.info.dataset else ""
    return printable(result.file.name + dataset)


RowState = tuple[
    int,
    list[tuple[np.dtype[Any], int]],
    dict[np.dtype[Any], None],
    tuple[tuple[int, ...] | None, Array | None],
    SameShape,
]


class RowSpool:
    """Collects rows.

    Args:
        place: Where; None for a temporary file, beyond a size that memory bears.
    """

    def __init__(self, place: Spool | Behind | None = None) -> None:
        self._file = place if place is not None else Spool()
        self._same = SameShape()
        self._segments: list[tuple[np.dtype[Any], int]] = []
        self._dtypes: dict[np.dtype[Any], None] = {}
        self._lone_shape: tuple[int, ...] | None = None
        self._lone_values: Array | None = None
        self._before = self.state()

    def add(self, result: Result) -> int:
        """Append a result's rows, and say how many they are.

        Raises:
            InputError: No array can hold them beside the earlier ones.
        """
        if result.start == 0:
            self._before = self.state()
        rows = np.ascontiguousarray(self._same.rows_of(result))
        self._check_dtype(rows.dtype)
        self._dtypes[rows.dtype] = None
        self._lone_shape = result.shape if self._is_lone(result) else None
        inner_batch = self._lone_shape is not None and result.axes.find("N") > 0
        self._lone_values = result.values if inner_batch else None
        if self._segments and self._segments[-1][0] == rows.dtype:
            self._segments[-1] = rows.dtype, self._segments[-1][1] + len(rows)
        else:
            self._segments.append((rows.dtype, len(rows)))
        self._file.write(rows.data)
        return len(rows)

    def withdraw(self) -> None:
        """Take back the rows of the result that was added last, whole or in pieces."""
        self.restore(self._before)

    def restore(self, state: RowState) -> None:
        """Take back all rows that were added since `state` gave this."""
        size, self._segments, self._dtypes, lone, self._same = state
        self._lone_shape, self._lone_values = lone
        self._file.cut(size)

    def state(self) -> RowState:
        """What to come back to with `restore`."""
        lone = self._lone_shape, self._lone_values
        size, same = self._file.size(), copy.copy(self._same)
        return size, list(self._segments), dict(self._dtypes), lone, same

    def _check_dtype(self, dtype: np.dtype[Any]) -> None:
        """Every earlier value and these must stand in one dtype unchanged."""
        if dtype in self._dtypes:
            return
        for earlier in self._dtypes:
            if not _holds_both(earlier, dtype):
                raise InputError(
                    f"the rows are {earlier.name} and {dtype.name}: no dtype holds both",
                    "choose one with --dtype, or write .h5 or .jsonl",
                )

    def _is_lone(self, result: Result) -> bool:
        """Whether all rows so far are of one result."""
        return not self._segments or (result.start > 0 and self._lone_shape is not None)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype that holds every row."""
        return np.result_type(*self._dtypes)

    def shape(self, batched: bool) -> tuple[int, ...]:
        """The array's shape; a lone result keeps its own unless a batch axis is asked for."""
        if self._lone_shape is not None and not batched:
            return self._lone_shape
        return (sum(count for _, count in self._segments), *self._same.shape)

    def as_written(self, batched: bool) -> bool:
        """Whether the bytes that were written, in their order, are the array."""
        return len(self._dtypes) == 1 and (batched or self._lone_values is None)

    def chunks(self, batched: bool = True) -> Iterator[Array]:
        """The rows in order and in one dtype, some at a time; a lone result as `shape` says."""
        if self._lone_values is not None and not batched:
            yield np.ascontiguousarray(self._lone_values)
            return
        self._file.rewind()
        width = math.prod(self._same.shape)
        for dtype, count in self._segments:
            step = max(1, BLOCK_BYTES // max(1, width * dtype.itemsize))
            for first in range(0, count, step):
                rows = min(step, count - first)
                raw = self._file.read(rows * width * dtype.itemsize)
                values = np.frombuffer(raw, dtype).reshape(rows, *self._same.shape)
                yield np.ascontiguousarray(values.astype(self.dtype, copy=False))

    def close(self) -> None:
        """Forget the rows."""
        self._file.close()


def _holds_both(one: np.dtype[Any], other: np.dtype[Any]) -> bool:
    """Whether what numpy makes of two dtypes holds every integer of both."""
    common = np.result_type(one, other)
    if common.kind != "f":
        return True
    mantissa = np.finfo(common).nmant + 1
    return all(dtype.itemsize * 8 <= mantissa for dtype in (one, other) if dtype.kind in "iu")
