"""The codecs of zarr that gpool undoes; no other is looked up, for some of them run code.

Every codec is told how many bytes it may give: a damaged chunk can't fill the memory.
"""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.formats.extras import load
from gpool_cli.printable import printable

HINT = "copy or save it again"

Decode = Callable[[bytes, int], bytes]


@dataclass(frozen=True)
class Codec:
    """A codec of an array.

    Attributes:
        name: What zarr calls it.
        itemsize: The size of what it shuffles.
    """

    name: str
    itemsize: int = 1

    def decode(self, data: bytes, most: int) -> bytes:
        """Undo it.

        Args:
            data: What it gave.
            most: How many bytes may come out.

        Raises:
            InputError: It is damaged, gives more, or its package is not installed.
        """
        try:
            if self.name == "shuffle":
                return _unshuffled(data, self.itemsize)
            return _DECODERS[self.name](data, most)
        except (ValueError, RuntimeError, TypeError, OSError, EOFError, zlib.error) as error:
            said = printable(str(error))
            raise InputError(f"has a damaged chunk: {self.name}: {said}", HINT) from None


def codec_of(said: Any) -> Codec:
    """The codec that metadata names, in the words of either version.

    Raises:
        InputError: gpool has none of that name.
    """
    if not isinstance(said, Mapping):
        raise InputError("has damaged metadata: a codec is no object", HINT)
    name = str(said.get("name", said.get("id")))
    name = name.removeprefix("numcodecs.")
    configuration = said.get("configuration", said)
    if name == "shuffle":
        itemsize = configuration.get("elementsize") if isinstance(configuration, Mapping) else 0
        if type(itemsize) is not int or not 1 <= itemsize <= 16:
            raise InputError("has damaged metadata: shuffle of an odd size", HINT)
        return Codec(name, itemsize)
    if name not in _DECODERS:
        raise InputError(f"uses the codec {printable(name[:40])}, which gpool does not know")
    return Codec(name)


def _inflate(wbits: int) -> Decode:
    def decode(data: bytes, most: int) -> bytes:
        stream = zlib.decompressobj(wbits)
        whole = stream.decompress(data, most)
        if not stream.eof:
            raise ValueError("more values than there should be, or cut off")
        return whole

    return decode


def _bz2(data: bytes, most: int) -> bytes:
    stream = bz2.BZ2Decompressor()
    whole = stream.decompress(data, most)
    if not stream.eof:
        raise ValueError("more values than there should be, or cut off")
    return whole


def _blosc(data: bytes, most: int) -> bytes:
    # Its header says how many bytes come out, and how many there are.
    if len(data) < 16 or int.from_bytes(data[12:16], "little") != len(data):
        raise ValueError("cut off")
    _check(int.from_bytes(data[4:8], "little"), most)
    return bytes(load("numcodecs", "blosc").Blosc().decode(data))


def _lz4(data: bytes, most: int) -> bytes:
    _check(int.from_bytes(data[:4], "little"), most)
    return bytes(load("numcodecs", "lz4").LZ4().decode(data))


def _zstd(data: bytes, most: int) -> bytes:
    _check(_size_of_zstd(data), most)
    whole = bytes(load("numcodecs", "zstd").Zstd().decode(data))
    _check(len(whole), most)
    return whole


def _size_of_zstd(data: bytes) -> int:
    """How many bytes a frame says it gives; 0 where it does not say. Source: RFC 8878, 3.1.1.1."""
    descriptor = data[4] if len(data) > 4 else 0
    alone = descriptor >> 5 & 1
    length = (alone, 2, 4, 8)[descriptor >> 6]
    start = 5 + (1 - alone) + (0, 1, 2, 4)[descriptor & 3]
    size = int.from_bytes(data[start : start + length], "little")
    return size + 256 if length == 2 else size


def _crc32c(data: bytes, most: int) -> bytes:
    checksum = load("google_crc32c", "crc32c").value(data[:-4])
    if len(data) < 4 or checksum != int.from_bytes(data[-4:], "little"):
        raise ValueError("the checksum is another one")
    return data[:-4]


def _unshuffled(data: bytes, itemsize: int) -> bytes:
    """Bytes that stood first of every value, then second, and so on; the rest was left alone."""
    count = len(data) // itemsize
    sorted_bytes = np.frombuffer(data, np.uint8, count * itemsize).reshape(itemsize, count)
    return sorted_bytes.T.tobytes() + data[count * itemsize :]


def _check(size: int, most: int) -> None:
    if size > most:
        raise ValueError("more values than there should be")


_DECODERS: dict[str, Decode] = {
    "blosc": _blosc,
    "bz2": _bz2,
    "crc32c": _crc32c,
    "gzip": _inflate(16 + zlib.MAX_WBITS),
    "lz4": _lz4,
    "zlib": _inflate(zlib.MAX_WBITS),
    "zstd": _zstd,
}
