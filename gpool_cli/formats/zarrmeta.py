"""What the metadata of a zarr array says, versions 2 and 3, in one form.

Sources: the Zarr storage specification version 2; the Zarr core specification version 3 and its
``sharding_indexed`` codec.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpool_cli.access import NARROW_FLOATS
from gpool_cli.errors import InputError
from gpool_cli.formats.narrow import bits_of, wide_dtype
from gpool_cli.formats.zarrcodecs import HINT, Codec, codec_of
from gpool_cli.printable import printable

_MOST_AXES = 32
_NUMBER_V2 = re.compile(r"[<>|][fiub][1248]")
_NUMBERS_V3 = {
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
}


@dataclass(frozen=True)
class ZarrArray:
    """How the values of an array lie in a store.

    Attributes:
        shape: The array's shape.
        dtype: Their dtype, byte order included; float32 where they are narrow.
        narrow: The narrow float that they are, or ''.
        chunks: The shape of a chunk, all of one size.
        order: The axes of a chunk in the order of its memory.
        codecs: What was done to a chunk, last first.
        fill: What stands where there is no chunk: one value, as it would be stored.
        prefix: What the names of chunks begin with.
        separator: What stands between their numbers.
        shard: How many chunks lie in one file, on every axis; None where each has its own.
        index_first: The index of such a file stands at its beginning.
        index_checked: It has a checksum.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    narrow: str
    chunks: tuple[int, ...]
    order: tuple[int, ...]
    codecs: tuple[Codec, ...]
    fill: bytes
    prefix: str = ""
    separator: str = "."
    shard: tuple[int, ...] | None = None
    index_first: bool = False
    index_checked: bool = True

    @property
    def stored(self) -> np.dtype[Any]:
        """The dtype of values as they are stored."""
        if not self.narrow:
            return self.dtype
        return bits_of(self.narrow).newbyteorder("=" if self.dtype.isnative else "S")

    @property
    def chunk_bytes(self) -> int:
        """The bytes of a chunk as they are before any codec."""
        return math.prod(self.chunks) * self.stored.itemsize


def array_v2(said: Mapping[str, Any]) -> ZarrArray:
    """What a ``.zarray`` says.

    Raises:
        InputError: It is damaged, or asks for what gpool does not know.
    """
    shape, chunks = _sizes(said, "shape"), _sizes(said, "chunks", least=1)
    _check_rank(shape, chunks)
    dtype, narrow = _dtype_v2(said.get("dtype"))
    compressor, filters = said.get("compressor"), said.get("filters") or []
    if not isinstance(filters, list):
        raise _damaged("filters")
    encoded = [*filters, *([compressor] if compressor is not None else [])]
    order = _one_of(said.get("order", "C"), ("C", "F"), "order")
    axes = tuple(range(len(shape)))
    return ZarrArray(
        shape=shape,
        dtype=dtype,
        narrow=narrow,
        chunks=chunks,
        order=axes if order == "C" else axes[::-1],
        codecs=tuple(codec_of(one) for one in reversed(encoded)),
        fill=_fill(said.get("fill_value"), dtype, narrow),
        separator=_one_of(said.get("dimension_separator", "."), (".", "/"), "separator"),
    )


def array_v3(said: Mapping[str, Any]) -> ZarrArray:
    """What the ``zarr.json`` of an array says. Raises what `array_v2` does."""
    shape = _sizes(said, "shape")
    grid = _configured(said.get("chunk_grid"), "regular", "chunk grid")
    chunks = _sizes(grid, "chunk_shape", least=1)
    _check_rank(shape, chunks)
    if said.get("storage_transformers"):
        raise InputError("uses a storage transformer, which gpool does not know")
    keys = said.get("chunk_key_encoding")
    name = keys.get("name") if isinstance(keys, Mapping) else keys
    name = _one_of(name, ("default", "v2"), "chunk key encoding")
    separator = _configured(keys, name, "chunk key encoding").get(
        "separator", "/" if name == "default" else "."
    )
    separator = _one_of(separator, ("/", "."), "separator")
    shard, first, checked = None, False, True
    codecs = said.get("codecs")
    if isinstance(codecs, list) and len(codecs) == 1 and _name(codecs[0]) == "sharding_indexed":
        inside = _configured(codecs[0], "sharding_indexed", "codec")
        outer, chunks = chunks, _sizes(inside, "chunk_shape", least=1)
        _check_rank(outer, chunks)
        if any(length % size for length, size in zip(outer, chunks, strict=True)):
            raise _damaged("chunk_shape")
        shard = tuple(a // b for a, b in zip(outer, chunks, strict=True))
        first = _one_of(inside.get("index_location", "end"), ("start", "end"), "index") == "start"
        checked = _index_is_checked(inside.get("index_codecs"))
        codecs = inside.get("codecs")
    order, big_endian, bytewise = _pipeline(codecs, len(shape))
    dtype, narrow = _dtype_v3(said.get("data_type"), big_endian)
    return ZarrArray(
        shape=shape,
        dtype=dtype,
        narrow=narrow,
        chunks=chunks,
        order=order,
        codecs=bytewise,
        fill=_fill(said.get("fill_value"), dtype, narrow),
        prefix=("c" + separator if shape else "c") if name == "default" else "",
        separator=separator,
        shard=shard,
        index_first=first,
        index_checked=checked,
    )


def _pipeline(codecs: Any, rank: int) -> tuple[tuple[int, ...], bool, tuple[Codec, ...]]:
    """The order of axes, whether numbers are big-endian, and the codecs of bytes, last first."""
    if not isinstance(codecs, list):
        raise _damaged("codecs")
    order, rest = tuple(range(rank)), list(codecs)
    while rest and _name(rest[0]) == "transpose":
        said = _configured(rest.pop(0), "transpose", "codec").get("order")
        if not isinstance(said, list) or sorted(map(str, said)) != sorted(map(str, range(rank))):
            raise _damaged("order")
        order = tuple(order[int(axis)] for axis in said)
    if not rest or _name(rest[0]) != "bytes":
        what = printable(_name(rest[0])[:40]) if rest else "none"
        raise InputError(f"uses the codec {what}, which gpool does not know")
    numbers = _configured(rest.pop(0), "bytes", "codec")
    endian = _one_of(numbers.get("endian", "little"), ("little", "big"), "endian")
    return order, endian == "big", tuple(codec_of(_as_object(one)) for one in reversed(rest))


def _index_is_checked(codecs: Any) -> bool:
    names = [_name(one) for one in codecs] if isinstance(codecs, list) else []
    little = names and _configured(codecs[0], "bytes", "codec").get("endian", "little") == "little"
    if not little or names[1:] not in ([], ["crc32c"]):
        raise InputError("has a shard index that is encoded in a way gpool does not know")
    return len(names) == 2


def _dtype_v2(said: Any) -> tuple[np.dtype[Any], str]:
    if isinstance(said, str) and said in NARROW_FLOATS:
        return wide_dtype(), said
    if not isinstance(said, str) or not _NUMBER_V2.fullmatch(said):
        raise _not_numeric(said)
    try:
        return np.dtype(said), ""
    except TypeError:
        raise _not_numeric(said) from None


def _dtype_v3(said: Any, big_endian: bool) -> tuple[np.dtype[Any], str]:
    if isinstance(said, str) and said in NARROW_FLOATS:
        return wide_dtype(big_endian), said
    if not isinstance(said, str) or said not in _NUMBERS_V3:
        raise _not_numeric(said)
    return np.dtype(said).newbyteorder(">" if big_endian else "<"), ""


def _not_numeric(said: Any) -> InputError:
    name = _name(said) if isinstance(said, Mapping) else str(said) if said else "none"
    if isinstance(said, list):
        return InputError("is compound")
    return InputError(f"is of the type {printable(name[:40])}, which can't be pooled")


def _fill(said: Any, dtype: np.dtype[Any], narrow: str) -> bytes:
    """One value where there is no chunk, as it would be stored."""
    if narrow and said not in (None, 0, False):
        raise InputError(f"has a fill value that gpool can't make {narrow}")
    try:
        if isinstance(said, str) and said.startswith("0x"):
            return int(said, 16).to_bytes(dtype.itemsize, _endian(dtype))
        number = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.get(said, said)
        if number is None or isinstance(number, (bool, int, float)):
            kind = bits_of(narrow) if narrow else dtype
            return _fitting(number or 0, kind).tobytes()
    except (TypeError, ValueError, OverflowError):
        pass
    raise _damaged("fill_value")


def _fitting(number: float, kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """A number as one value of a dtype; a fraction that is one of floats may be rounded."""
    with np.errstate(over="ignore"):
        made = np.array(number, kind)
    rounded = kind.kind == "f" and np.isfinite(made) == math.isfinite(number)
    if not rounded and made.item() != number:
        raise ValueError("does not fit")
    return made


def _endian(dtype: np.dtype[Any]) -> Any:
    return "big" if dtype.newbyteorder("S").isnative else "little"


def _sizes(said: Mapping[str, Any], key: str, least: int = 0) -> tuple[int, ...]:
    sizes = said.get(key)
    if not isinstance(sizes, list) or len(sizes) > _MOST_AXES:
        raise _damaged(key)
    if any(type(size) is not int or not least <= size < 2**63 for size in sizes):
        raise _damaged(key)
    return tuple(sizes)


def _check_rank(shape: Sequence[int], chunks: Sequence[int]) -> None:
    if len(shape) != len(chunks):
        raise _damaged("chunks")


def _one_of(said: Any, known: tuple[str, ...], what: str) -> str:
    if said not in known:
        raise InputError(f"has the {what} {printable(str(said)[:40])}, which gpool does not know")
    return str(said)


def _name(said: Any) -> str:
    return str(said.get("name")) if isinstance(said, Mapping) else str(said)


def _as_object(said: Any) -> Any:
    """A codec without a configuration may stand there as its name alone."""
    return {"name": said} if isinstance(said, str) else said


def _configured(said: Any, name: str, what: str) -> Mapping[str, Any]:
    """The configuration of what must have this name."""
    if _name(said) != name:
        raise InputError(f"has a {what} {printable(_name(said)[:40])}, which gpool does not know")
    configuration = said.get("configuration") if isinstance(said, Mapping) else None
    return configuration if isinstance(configuration, Mapping) else {}


def _damaged(key: str) -> InputError:
    return InputError(f"has damaged metadata: {key}", HINT)
