"""Small npy files of one shape: told by the bytes of their headers, read into one buffer."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from gpool_cli.formats.dtypes import as_native
from gpool_cli.formats.interface import BLOCK_BYTES, Array
from gpool_cli.formats.npyheader import read_header
from gpool_cli.model import ArrayInfo

# More than the header of any plain array that numpy writes.
_HEADER_ROOM = 1024

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True)
class Pattern:
    """A file that is one header and the values of one small map in C order, and no byte more.

    Attributes:
        header: The header as it stands in the file.
        info: What it says.
    """

    header: bytes
    info: ArrayInfo


def is_npy(path: str) -> bool:
    """Whether a file is called npy; what is called otherwise has the reader of that name."""
    return path.lower().endswith(".npy")


def pattern_of(path: str) -> Pattern | None:
    """The pattern that a file has; None where it is another file.

    Raises:
        InputError: It is no npy file.
        OSError: It can't be read.
    """
    if not is_npy(path) or not hasattr(os, "readv"):
        return None
    start, size = _start_of(path)
    header = read_header(io.BytesIO(start).read)
    if header is None or header.refusal or header.fortran:
        return None
    if header.nbytes > BLOCK_BYTES or header.length + header.nbytes != size:
        return None
    return Pattern(start[: header.length], ArrayInfo("", header.shape, header.dtype))


def _start_of(path: str) -> tuple[bytes, int]:
    """The first bytes of a file, and its size; -1 where it is no regular file."""
    file = os.open(path, _FLAGS)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            return b"", -1
        return os.read(file, _HEADER_ROOM), status.st_size
    finally:
        os.close(file)


class AlikeFiles:
    """Reads the values of files of one pattern side by side into one reused buffer."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def read(self, paths: Iterable[str], pattern: Pattern) -> Array:
        """Read files from the first on, as far as they have the pattern and the buffer goes.

        Args:
            paths: The files.
            pattern: What they should be.

        Returns:
            Their values, with an axis for the files in front: C order, native byte order, valid
            until the next call. It is empty where the first file has another pattern.
        """
        info, nbytes = pattern.info, pattern.info.nbytes
        if len(self._buffer) < BLOCK_BYTES:
            self._buffer = bytearray(BLOCK_BYTES)
        whole = memoryview(self._buffer)
        header = bytearray(len(pattern.header))
        count = 0
        for path in islice(paths, BLOCK_BYTES // nbytes):
            part = whole[count * nbytes : (count + 1) * nbytes]
            if not _read_values(path, header, part) or header != pattern.header:
                break
            count += 1
        values = np.frombuffer(whole[: count * nbytes], info.dtype)
        return as_native(values.reshape(count, *info.shape))


def _read_values(path: str, header: bytearray, values: memoryview) -> bool:
    """Read a file that is a header and values and nothing else; False where it is not."""
    length = len(header) + len(values)
    try:
        file = os.open(path, _FLAGS)
        try:
            status = os.fstat(file)
            whole = status.st_size == length and stat.S_ISREG(status.st_mode)
            return whole and os.readv(file, (header, values)) == length
        finally:
            os.close(file)
    except (OSError, ValueError):
        return False
