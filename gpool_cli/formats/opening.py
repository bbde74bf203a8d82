"""From a path to the reader of its format."""

from __future__ import annotations

import os

from gpool_cli.access import Access
from gpool_cli.errors import InputError
from gpool_cli.formats import (
    Row,
    load_reader,
    row_named,
    row_of_content,
    row_of_marks,
    row_of_suffix,
)
from gpool_cli.formats.files import open_regular
from gpool_cli.formats.interface import Reader
from gpool_cli.model import STDIN
from gpool_cli.remote import is_url, name_of


def format_of(path: str) -> Row:
    """The format of a file: by its suffix, or by its first bytes where it has no known one.

    Raises:
        InputError: It is of no known format.
    """
    if path == STDIN:
        return row_named("npy")
    row = row_of_suffix(name_of(path.rstrip("/")) if is_url(path) else path)
    if is_url(path) and (row is None or not row.reader):
        raise InputError("has no suffix that tells its format", "a URL is asked by its suffix")
    if is_url(path) and row is not None and row.marks:
        raise InputError(
            f"is a {row.name} store, a directory, which is not read by URL",
            "copy it to this machine first",
        )
    if row is None or not row.reader:
        if os.path.isdir(path):
            row = row_of_marks(os.listdir(path))
        else:
            with open_regular(path) as file:
                row = row_of_content(file.read(8))
    if row is None or not row.reader:
        raise InputError("is of no known format", "gpool formats lists what it reads")
    return row


def library_of(path: str) -> str:
    """The library that reads a file and may not survive it; '' where there is none."""
    row = _format_if_any(path)
    return row.library if row is not None else ""


def isolated(path: str) -> bool:
    """Whether only worker processes open a file, which they may not survive."""
    if is_url(path):
        return True  # Servers may be as harmful as files, and this process has no threads yet.
    row = _format_if_any(path)
    return row is not None and row.isolated


def _format_if_any(path: str) -> Row | None:
    """The format of a file, or None: then nothing will read it."""
    try:
        return format_of(path)
    except (InputError, OSError):
        return None


def open_reader(path: str, access: Access) -> Reader:
    """Open a file with the reader of its format."""
    return load_reader(format_of(path))(path, access)
