"""A deflated member of an npz archive, inflated piece by piece at the speed of zlib."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

libdeflate: Any
try:
    import deflate as libdeflate
except ImportError:  # It is for speed, as in hdf5filters.
    libdeflate = None

# Read, and inflated, at one time: both stay in the cache of a core.
_STORED = 1 << 16
_INFLATED = 1 << 18

# The local header: a signature, what the directory says too, the lengths of name and extra field.
_LOCAL = struct.Struct("<4s22xHH")

crc32: Callable[[bytes | memoryview, int], int] = (
    libdeflate.crc32 if libdeflate is not None else zlib.crc32
)


class DeflatedMember:
    """Reads the values of a member as zipfile would, which takes a quarter longer.

    zipfile reads as many stored bytes as inflated ones are asked for, carries what is left of them
    from call to call, and joins and cuts what comes out.

    Args:
        file: The archive.
        member: One of its members, which zipfile has opened before: it knows what may be wrong
            with a local header.
    """

    def __init__(self, file: BinaryIO, member: zipfile.ZipInfo) -> None:
        self._file, self._member = file, member
        file.seek(member.header_offset)
        _, name, extra = _LOCAL.unpack(file.read(_LOCAL.size))
        self._place = member.header_offset + _LOCAL.size + name + extra
        self._left = member.compress_size
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._crc = 0
        self._ready = memoryview(b"")

    def readinto(self, view: memoryview) -> int:
        """Fill the beginning of a buffer; 0 at the end of the member.

        Raises:
            zlib.error: The stream is damaged.
            EOFError: It is cut off.
            zipfile.BadZipFile: Its checksum is not the one that the archive has.
        """
        if not self._ready and not self._stream.eof:
            self._ready = memoryview(self._inflate())
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def read(self, count: int) -> bytes:
        """So many bytes, fewer only at the end. Raises what `readinto` does."""
        data = bytearray(count)
        done = 0
        while more := self.readinto(memoryview(data)[done:]):
            done += more
        return bytes(data[:done])

    def _inflate(self) -> bytes:
        """The next bytes; none at the end, where they are compared with the checksum."""
        data = b""
        while not data and not self._stream.eof:
            stored = self._stream.unconsumed_tail or self._stored()
            # zlib may still hold inflated bytes when all the stored ones are in.
            data = self._stream.decompress(stored, _INFLATED)
            if not stored and not data and not self._stream.eof:
                raise EOFError("its deflate stream is cut off")
        self._crc = crc32(data, self._crc)
        if self._stream.eof and self._crc != self._member.CRC:
            raise zipfile.BadZipFile(f"Bad CRC-32 for file {self._member.filename!r}")
        return data

    def _stored(self) -> bytes:
        """The next stored bytes; none at their end."""
        self._file.seek(self._place)
        stored = self._file.read(min(_STORED, self._left))
        self._place += len(stored)
        self._left -= len(stored)
        return stored
