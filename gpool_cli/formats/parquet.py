"""Parquet: a row per map and pooling, with the values in one column of lists of one length."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.formats.extras import load
from gpool_cli.formats.interface import Array, Writer, WriteStyle
from gpool_cli.formats.rows import RowSpool
from gpool_cli.formats.spool import Spool
from gpool_cli.model import Result
from gpool_cli.printable import printable

# Rows in a group, which readers take at a time: so many bytes of values.
_GROUP_BYTES = 16 << 20


class ParquetWriter(Writer):
    """Writes the columns source, dataset, index, pooling, shape (of the map) and vector.

    The rows wait in a temporary file until their dtype is known. float16 is written as float32,
    for few readers have it.
    """

    def __init__(self, file: BinaryIO, style: WriteStyle) -> None:
        super().__init__(file, style)
        self._rows = RowSpool()
        self._names = Spool()
        self._count = 0
        self._before = self._rows.state(), 0, 0

    def add(self, result: Result) -> None:
        if result.first and result.start == 0:
            self._before = self._rows.state(), self._names.size(), self._count
        try:
            count = self._rows.add(result)
        except InputError:
            self._take_back()
            raise
        said = [
            printable(result.file.name),
            printable(result.info.dataset),
            result.start,
            count,
            result.pooling.label,
            result.info.shape,
        ]
        self._names.write(json.dumps(said).encode() + b"\n")
        self._count += count

    def _take_back(self) -> None:
        """A map that one pooling is refused for has no row of another."""
        rows, names, self._count = self._before
        self._rows.restore(rows)
        self._names.cut(names)

    def finish(self) -> None:
        arrow, parquet = load("pyarrow", "Parquet"), load("pyarrow.parquet", "Parquet")
        dtype = self._rows.dtype if self._count else np.dtype(np.float32)
        dtype = np.dtype(np.float32) if dtype == np.float16 else dtype
        width = int(np.prod(self._rows.shape(True)[1:])) if self._count else 0
        schema = _schema(arrow, dtype, width)
        names = self._each_name()
        step = max(1, _GROUP_BYTES // max(1, width * dtype.itemsize))
        with parquet.ParquetWriter(self.file, schema, compression="zstd") as table:
            for rows in self._groups(dtype, width, step) if self._count else ():
                said = [next(names) for _ in range(len(rows))]
                table.write_table(_table(arrow, schema, said, rows), row_group_size=len(rows))
        self._close()

    def abandon(self) -> None:
        self._close()

    def _close(self) -> None:
        self._rows.close()
        self._names.close()

    def _groups(self, dtype: np.dtype[Any], width: int, step: int) -> Iterator[Array]:
        """The rows, so many at a time, as (rows, width)."""
        waiting: list[Array] = []
        for chunk in self._rows.chunks():
            rest = chunk.reshape(-1, width).astype(dtype, copy=False)
            while len(rest):
                room = step - sum(map(len, waiting))
                waiting.append(rest[:room])
                rest = rest[room:]
                if sum(map(len, waiting)) == step:
                    yield np.concatenate(waiting)
                    waiting = []
        if waiting:
            yield np.concatenate(waiting)

    def _each_name(self) -> Iterator[tuple[str, str, int, str, list[int]]]:
        """What every row is."""
        self._names.rewind()
        left = b""
        while part := self._names.read(1 << 20):
            *lines, left = (left + part).split(b"\n")
            for line in lines:
                source, dataset, start, count, pooling, shape = json.loads(line)
                for index in range(start, start + count):
                    yield source, dataset, index, pooling, shape


def _schema(arrow: Any, dtype: np.dtype[Any], width: int) -> Any:
    value = arrow.field("item", arrow.from_numpy_dtype(dtype), nullable=False)
    columns = {
        "source": arrow.string(),
        "dataset": arrow.string(),
        "index": arrow.int64(),
        "pooling": arrow.string(),
        "shape": arrow.list_(arrow.int64()),
        "vector": arrow.list_(value, width),
    }
    return arrow.schema([arrow.field(name, kind) for name, kind in columns.items()])


def _table(arrow: Any, schema: Any, said: list[Any], rows: Array) -> Any:
    described = zip(zip(*said, strict=True), schema.types[:-1], strict=True)
    columns = [arrow.array(column, kind) for column, kind in described]
    values = arrow.array(np.ascontiguousarray(rows).reshape(-1), schema.types[-1].value_type)
    columns.append(arrow.FixedSizeListArray.from_arrays(values, type=schema.types[-1]))
    return arrow.Table.from_arrays(columns, schema=schema)
