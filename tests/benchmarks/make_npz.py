"""Data in deflated npz, as ``np.savez_compressed`` writes it, in a fraction of its time.

A block of maps is deflated once, up to a full flush. There the compressor forgets what it has seen,
so the flushed bytes can stand in a stream as often as one likes.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

from tests.benchmarks.make_npy import write_header
from tests.benchmarks.maps import DISTINCT, relu_maps

MEMBERS = 8


def members(path: Path, count: int) -> None:
    """Write eight members with so many maps each."""
    stream, size, check = _deflated(count)
    infos = [zipfile.ZipInfo(f"layer{number}.npy") for number in range(MEMBERS)]
    with zipfile.ZipFile(path, "w") as archive:
        for info in infos:
            # Stored as they are, and then declared to be what they are: the directory is
            # written when the archive is closed.
            archive.writestr(info, stream)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.file_size, info.CRC = size, check
    with open(path, "rb+") as file:
        for info in infos:
            file.seek(info.header_offset)
            file.write(info.FileHeader())


def _deflated(count: int) -> tuple[bytes, int, int]:
    """An npy file as a deflated stream, with the size and the CRC of the file."""
    block = relu_maps(count, (7, 7, 2048))
    header = io.BytesIO()
    write_header(header, (count, *block.shape[1:]), block.dtype)
    plain = [header.getvalue()]
    whole, rest = divmod(count, DISTINCT)
    plain += [block.tobytes()] * whole + [block[:rest].tobytes()] * (rest > 0)
    pieces: dict[int, bytes] = {}
    stream, size, check = bytearray(), 0, 0
    for part in plain:
        if id(part) not in pieces:
            pieces[id(part)] = _flushed(part)
        stream += pieces[id(part)]
        size += len(part)
        check = zlib.crc32(part, check)
    return bytes(stream) + _end(), size, check


def _flushed(part: bytes) -> bytes:
    """Deflate at the level of ``np.savez_compressed``, to a byte boundary, not ended."""
    compressor = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(part) + compressor.flush(zlib.Z_FULL_FLUSH)


def _end() -> bytes:
    """The empty last block of a raw deflate stream."""
    return zlib.compressobj(wbits=-zlib.MAX_WBITS).flush(zlib.Z_FINISH)
