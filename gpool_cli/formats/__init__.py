"""WHERE maps come from and results go: the table of formats.

A format is one row here and one file beside this one, with its reader and its writer. The rows
are plain data, and hold import paths as strings, so that nothing is imported before it is needed.
"""

from __future__ import annotations

import importlib
import posixpath
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpool_cli.formats.interface import Reader, Writer


@dataclass(frozen=True, eq=False)
class Row:
    """One format in the table.

    Attributes:
        name: What ``--format`` calls it.
        suffixes: The file suffixes that mean it; the first is the one that is written.
        reader: ``module:Class`` of its reader, or '' where it is only written.
        writer: ``module:Class`` of its writer, or '' where it is only read.
        magic: Bytes that its files start with.
        container: One file holds several arrays under names.
        mixed: One file holds results of any shape.
        text: It may be shown on a terminal.
        library: What reads it and can crash or hang: only worker processes use it.
        carries: What is written takes over what an input has beside its maps.
        tabular: Every row says what it is of, so that one file holds several poolings and datasets.
        rechunk: The command that rewrites a dataset in smaller chunks.
        needs: What must be installed to write it, as it is imported.
        marks: It is a directory, with one of these files in it.
        untrusted: A file can ask for much work or memory: only worker processes use it.
    """

    name: str
    suffixes: tuple[str, ...]
    reader: str = ""
    writer: str = ""
    magic: tuple[bytes, ...] = ()
    container: bool = False
    mixed: bool = False
    text: bool = False
    library: str = ""
    carries: bool = False
    tabular: bool = False
    rechunk: str = ""
    needs: str = ""
    marks: tuple[str, ...] = ()
    untrusted: bool = False

    @property
    def isolated(self) -> bool:
        """Whether only worker processes may read it: its files can crash, hang or swell them."""
        return self.untrusted or bool(self.library)


_H5REPACK = "h5repack -l {dataset}:CHUNK={chunk} OLD NEW"

TABLE: tuple[Row, ...] = (
    Row(
        "npy",
        (".npy",),
        "gpool_cli.formats.npy:NpyReader",
        "gpool_cli.formats.npy:NpyWriter",
        (b"\x93NUMPY",),
    ),
    Row(
        "npz",
        (".npz",),
        "gpool_cli.formats.npz:NpzReader",
        "gpool_cli.formats.npz:NpzWriter",
        (b"PK\x03\x04", b"PK\x05\x06"),
        container=True,
        mixed=True,
    ),
    Row(
        "h5",
        (".h5", ".hdf5", ".hdf", ".he5", ".nc", ".nc4"),
        "gpool_cli.formats.hdf5reader:Hdf5Reader",
        "gpool_cli.formats.hdf5writer:Hdf5Writer",
        (b"\x89HDF\r\n\x1a\n",),
        container=True,
        mixed=True,
        library="HDF5",
        rechunk=_H5REPACK,
        carries=True,
    ),
    Row(
        "mat",
        (".mat",),
        "gpool_cli.formats.hdf5matlab:MatlabReader",
        magic=(b"MATLAB 7", b"MATLAB 5"),
        container=True,
        library="HDF5",
        rechunk=_H5REPACK,
    ),
    Row(
        "safetensors",
        (".safetensors",),
        "gpool_cli.formats.safetensors:SafetensorsReader",
        container=True,
    ),
    Row("pt", (".pt", ".pth"), "gpool_cli.formats.pt:PtReader", container=True, untrusted=True),
    Row(
        "zarr",
        (".zarr",),
        "gpool_cli.formats.zarr:ZarrReader",
        container=True,
        library="numcodecs",
        marks=("zarr.json", ".zgroup", ".zarray"),
    ),
    Row(
        "csv",
        (".csv",),
        writer="gpool_cli.formats.delimited:CsvWriter",
        text=True,
        tabular=True,
    ),
    Row(
        "tsv",
        (".tsv",),
        writer="gpool_cli.formats.delimited:TsvWriter",
        text=True,
        tabular=True,
    ),
    Row(
        "jsonl",
        (".jsonl",),
        writer="gpool_cli.formats.jsonl:JsonlWriter",
        mixed=True,
        text=True,
        tabular=True,
    ),
    Row(
        "parquet",
        (".parquet",),
        writer="gpool_cli.formats.parquet:ParquetWriter",
        tabular=True,
        needs="pyarrow",
    ),
    Row(
        "json",
        (".json",),
        writer="gpool_cli.formats.jsonarray:JsonWriter",
        mixed=True,
        text=True,
    ),
)

WRITABLE = tuple(row.name for row in TABLE if row.writer)
READ_SUFFIXES = tuple(suffix for row in TABLE if row.reader for suffix in row.suffixes)
CONTAINER_SUFFIXES = tuple(suffix for row in TABLE if row.container for suffix in row.suffixes)


def row_named(name: str) -> Row:
    """The row of this name."""
    return next(row for row in TABLE if row.name == name)


def row_of_suffix(path: str) -> Row | None:
    """The row whose suffix a path has, in any case, or None."""
    suffix = posixpath.splitext(path)[1].lower()
    return next((row for row in TABLE if suffix in row.suffixes), None)


def row_of_content(start: bytes) -> Row | None:
    """The row whose files start like this, or None."""
    return next((row for row in TABLE if row.magic and start.startswith(row.magic)), None)


def row_of_marks(names: Collection[str]) -> Row | None:
    """The row whose directories hold one of these files, or None."""
    return next((row for row in TABLE if any(mark in names for mark in row.marks)), None)


def load_reader(row: Row) -> type[Reader]:
    """The reader class of a format."""
    return _load(row.reader)  # type: ignore[return-value]


def load_writer(row: Row) -> type[Writer]:
    """The writer class of a format."""
    return _load(row.writer)  # type: ignore[return-value]


def _load(target: str) -> object:
    module, name = target.split(":")
    return getattr(importlib.import_module(module), name)
