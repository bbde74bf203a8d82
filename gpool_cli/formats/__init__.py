"""WHERE maps come from and results go: the table of formats.

A format is one row here and one file beside this one, with its reader and its writer. The rows
are plain data, and hold import paths as strings, so that nothing is imported before it is needed.
"""

from __future__ import annotations

import importlib
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpool_cli.formats.interface import Reader, Writer


@dataclass(frozen=True)
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
        isolated: The library that reads it can crash or hang: only worker processes use it.
        carries: What is written takes over what an input has beside its maps.
    """

    name: str
    suffixes: tuple[str, ...]
    reader: str = ""
    writer: str = ""
    magic: tuple[bytes, ...] = ()
    container: bool = False
    mixed: bool = False
    text: bool = False
    isolated: bool = False
    carries: bool = False


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
        "gpool_cli.formats.hdf5:Hdf5Reader",
        "gpool_cli.formats.hdf5:Hdf5Writer",
        (b"\x89HDF\r\n\x1a\n",),
        container=True,
        mixed=True,
        isolated=True,
        carries=True,
    ),
    Row("csv", (".csv",), writer="gpool_cli.formats.delimited:CsvWriter", text=True),
    Row("tsv", (".tsv",), writer="gpool_cli.formats.delimited:TsvWriter", text=True),
    Row(
        "jsonl",
        (".jsonl",),
        writer="gpool_cli.formats.jsonl:JsonlWriter",
        mixed=True,
        text=True,
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


def load_reader(row: Row) -> type[Reader]:
    """The reader class of a format."""
    return _load(row.reader)  # type: ignore[return-value]


def load_writer(row: Row) -> type[Writer]:
    """The writer class of a format."""
    return _load(row.writer)  # type: ignore[return-value]


def _load(target: str) -> object:
    module, name = target.split(":")
    return getattr(importlib.import_module(module), name)
