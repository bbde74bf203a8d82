"""Files that are the old one or the whole new one, never something between."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import BinaryIO

from gpool_cli.errors import InputError, OutputError
from gpool_cli.printable import printable


class AtomicFile:
    """A file that takes its name only when it is complete.

    It is written beside its place, under a hidden name that no glob takes for data.

    Args:
        path: Where it goes; the directory is made where it is missing.

    Raises:
        OutputError: It can't be made there.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        directory = os.path.dirname(path) or "."
        self._temporary = os.path.join(directory, f".gpool-{os.urandom(8).hex()}.part")
        with output_errors(path):
            os.makedirs(directory, exist_ok=True)
            self.file: BinaryIO = open(self._temporary, "x+b")

    def commit(self) -> int:
        """Put the file in its place, and say how many bytes it has."""
        try:
            with output_errors(self.path):
                self.file.flush()
                os.fsync(self.file.fileno())
                size = os.fstat(self.file.fileno()).st_size
                self.file.close()
                os.replace(self._temporary, self.path)
        except BaseException:
            self.discard()
            raise
        return size

    def discard(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            self.file.close()
        with contextlib.suppress(OSError):
            os.unlink(self._temporary)


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
            raise OutputError(
                f"can't write {printable(self._path)}: {reason}",
                "nothing was left half written; make room or choose another place with -o",
            ) from error
