"""Files that are the old one or the whole new one, never something between."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from gpool_cli.errors import InputError, OutputError
from gpool_cli.formats.durable import sync_each
from gpool_cli.printable import printable

Sync = Callable[[Sequence[str]], None]

# What the hidden names begin with, until the files have their own.
TEMPORARY = ".gpool-"

_HINT = "nothing was left half written; make room or choose another place with -o"
_FORBIDDEN_HINT = "nothing was left half written; choose another place with -o"
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR}
_CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class Written:
    """A complete file that has not its name yet, and may not be on the disk.

    Attributes:
        temporary: Where it is.
        path: Where it goes.
        size: How many bytes it has.
        sha256: Their checksum in hexadecimal; '' where nobody asked for it.
        touched: The directories that have a new entry through it.
    """

    temporary: str
    path: str
    size: int
    sha256: str
    touched: tuple[str, ...]

    def put_in_place(self) -> None:
        """Give the file its name; it must be on the disk by then.

        Raises:
            OutputError: It can't have it.
        """
        with output_errors(self.path):
            os.replace(self.temporary, self.path)

    def discard(self) -> None:
        """Leave nothing behind; a file that is in its place stays."""
        with contextlib.suppress(OSError):
            os.unlink(self.temporary)


class AtomicFile:
    """A file that takes its name only when it is complete.

    It is written beside its place, under a hidden name that no glob takes for data.

    Args:
        path: Where it goes; the directory is made where it is missing.
        run: What the hidden name has in it beside chance.

    Raises:
        InputError: Its name is too long.
        OutputError: It can't be made there.
    """

    def __init__(self, path: str, run: str = "") -> None:
        self.path = path
        directory = os.path.dirname(path) or "."
        name = f"{TEMPORARY}{run}{os.urandom(8).hex()}.part"
        self._temporary = os.path.join(directory, name)
        with output_errors(path):
            self._touched = (directory, *make_directory(directory))
            _check_place(path)
            self.file: BinaryIO = open(self._temporary, "x+b")

    def complete(self, checksum: bool = False) -> Written:
        """Close the file; nothing more is written to it.

        Args:
            checksum: Work out the checksum too.

        Raises:
            OutputError: There is no room for it.
        """
        try:
            with output_errors(self.path):
                self.file.flush()
                size = os.fstat(self.file.fileno()).st_size
                sha256 = _sha256(self.file) if checksum else ""
                self.file.close()
        except BaseException:
            self.discard()
            raise
        return Written(self._temporary, self.path, size, sha256, self._touched)

    def commit(self) -> int:
        """Put the file in its place, and say how many bytes it has.

        Raises:
            OutputError: It can't be written.
        """
        written = self.complete()
        put_in_place([written])
        return written.size

    def discard(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            self.file.close()
        with contextlib.suppress(OSError):
            os.unlink(self._temporary)


def put_in_place(files: Sequence[Written], sync: Sync = sync_each) -> None:
    """Bring files to the disk, give them their names, and bring those to the disk.

    Args:
        files: What was written.
        sync: Returns when paths are on the disk.

    Raises:
        OutputError: It can't be done. Those that have no name by then are gone.
    """
    try:
        make_durable(files, sync)
        for file in files:
            file.put_in_place()
        sync_directories(files, sync)
    finally:
        for file in files:
            file.discard()


def make_durable(files: Sequence[Written], sync: Sync) -> None:
    """Bring files to the disk that have not their names yet.

    Raises:
        OutputError: One could not be written.
    """
    try:
        sync([file.temporary for file in files])
    except OSError as error:
        place = next((file.path for file in files if file.temporary == error.filename), None)
        with output_errors(place or files[0].path):
            raise


def sync_directories(files: Sequence[Written], sync: Sync, also: Sequence[str] = ()) -> None:
    """Bring to the disk that files have their names.

    Args:
        files: They are in their places.
        sync: Returns when paths are on the disk.
        also: What else is brought to the disk.

    Raises:
        OutputError: It can't be done.
    """
    with output_errors(files[0].path):
        sync([*dict.fromkeys(path for file in files for path in file.touched), *also])


def make_directory(path: str) -> list[str]:
    """Make a directory where it is missing, and those above it.

    Returns:
        The directories that have a new entry through it.
    """
    if os.path.isdir(path):
        return []
    above = os.path.dirname(path.rstrip(os.sep)) or "."
    touched = make_directory(above) if above != path else []
    try:
        os.mkdir(path)
    except FileExistsError:
        if not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    return [*touched, above]


def _check_place(path: str) -> None:
    """Find out now what would be in the way of the name in the end."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def _sha256(file: BinaryIO) -> str:
    import hashlib  # It takes a twentieth of the start of a run, which may need none.

    digest = hashlib.sha256()
    file.seek(0)
    while part := file.read(_CHUNK):
        digest.update(part)
    return digest.hexdigest()


class output_errors(contextlib.AbstractContextManager[None]):  # noqa: N801 - reads as a statement
    """Say what the file system answers as an `OutputError` that names the output.

    A name that is too long comes from the input: it is an `InputError`, and the others go on.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            raise InputError(
                "the name of its output is too long for the file system",
                "write to a container such as .h5 or .npz",
            ) from error
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            reason = error.strerror or str(error)
            hint = _FORBIDDEN_HINT if error.errno in _FORBIDDEN else _HINT
            raise OutputError(f"can't write {printable(self._path)}: {reason}", hint) from error
