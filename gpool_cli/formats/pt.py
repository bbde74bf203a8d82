"""PyTorch's .pt: a zip archive of a pickle, which says what tensors there are, and their memory.

The pickle is not run: `gpool_cli.formats.ptpickle` reads what it describes. The memory of a tensor
lies in a member of its own, never compressed, and is read from its place in the file.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gpool_cli.access import NARROW_FLOATS, Access
from gpool_cli.errors import InputError
from gpool_cli.formats.archive import open_archive
from gpool_cli.formats.flat import FlatFile, FlatReader, Places
from gpool_cli.formats.narrow import stored_bytes, stored_dtype, wide_dtype
from gpool_cli.formats.ptpickle import LONGEST_NAME, OddKey, read_pickle, too_many
from gpool_cli.formats.pttensor import Opaque, Tensor
from gpool_cli.layout import size_of
from gpool_cli.model import ArrayInfo
from gpool_cli.printable import printable

# Bounds on what is believed of a file: the pickle of a thousand tensors has some 100 kB.
_LONGEST_PICKLE = 16 << 20
_MOST_NAMES = 100_000
_LONGEST_NAMES = 16 << 20
_DEEPEST = 64

_DAMAGE = (zipfile.BadZipFile, struct.error, EOFError, LookupError, ValueError, RuntimeError)
_BEFORE_ZIP = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

# The local header: a signature, what the directory says too, the lengths of name and extra field.
_LOCAL = struct.Struct("<4s22xHH")

# storage class or dtype → numpy's letters
_DTYPES = {
    **dict.fromkeys(("DoubleStorage", "torch.float64"), "f8"),
    **dict.fromkeys(("FloatStorage", "torch.float32"), "f4"),
    **dict.fromkeys(("HalfStorage", "torch.float16"), "f2"),
    **dict.fromkeys(("LongStorage", "torch.int64"), "i8"),
    **dict.fromkeys(("IntStorage", "torch.int32"), "i4"),
    **dict.fromkeys(("ShortStorage", "torch.int16"), "i2"),
    **dict.fromkeys(("CharStorage", "torch.int8"), "i1"),
    **dict.fromkeys(("ByteStorage", "torch.uint8"), "u1"),
    **dict.fromkeys(("BoolStorage", "torch.bool"), "?"),
    **{"torch.uint16": "u2", "torch.uint32": "u4", "torch.uint64": "u8"},
}
_NARROW = {"BFloat16Storage": "bfloat16"} | {f"torch.{name}": name for name in NARROW_FLOATS}


class PtReader(FlatReader):
    """Reads the tensors of a file that `torch.save` wrote, also those in dicts and lists.

    Args:
        path: A regular file.
    """

    def find(self, file: FlatFile) -> Places:
        try:
            return _tensors(file, self.access)
        except _DAMAGE as error:
            said = printable(str(error))
            raise InputError(
                f"is a damaged PyTorch file: {said}", "copy or save it again"
            ) from None


def _tensors(file: FlatFile, access: Access) -> Places:
    """Everything in a file by its name, with the place where its values begin."""
    start = file.read(0, len(_BEFORE_ZIP))
    if start == _BEFORE_ZIP:
        raise InputError(
            "is of the format that PyTorch had before 1.6",
            "save it again with torch.save, or as safetensors",
        )
    if start[:4] != b"PK\x03\x04":
        raise InputError("is no PyTorch file", "torch.save writes zip archives")
    archive = open_archive(file.file, access)
    members = {member.filename: member for member in archive.infolist()}
    pickles = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(pickles) != 1 or len(members) < len(archive.infolist()):
        raise InputError("is no PyTorch file but a zip archive", "torch.save writes a data.pkl")
    prefix = pickles[0].removesuffix("data.pkl")
    if members[pickles[0]].file_size > _LONGEST_PICKLE:
        raise too_many()
    described = read_pickle(_content(file, members[pickles[0]]))
    order = members.get(f"{prefix}byteorder")
    big_endian = order is not None and _content(file, order, 6) == b"big"
    memory = _Memory(file, members, f"{prefix}data/", big_endian)
    found: dict[str, tuple[ArrayInfo, int]] = {}
    for name, item in _leaves(described):
        if name in found:
            raise InputError(
                f"has two objects of the name {printable(name)!r}", "rename one and save it again"
            )
        found[name] = memory.place(name, item)
    return found


def _content(file: FlatFile, member: zipfile.ZipInfo, most: int = _LONGEST_PICKLE) -> bytes:
    return file.read(_place_of(file, member), min(member.file_size, most))


def _place_of(file: FlatFile, member: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin; all of them are in the file, as they are."""
    name = printable(member.filename[:100])
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        raise InputError(f"has a compressed member {name}", "torch.save writes none")
    signature, name_length, extra = _LOCAL.unpack(file.read(member.header_offset, _LOCAL.size))
    place: int = member.header_offset + _LOCAL.size + name_length + extra
    if signature != b"PK\x03\x04" or place + member.file_size > file.size:
        raise InputError(f"is truncated or damaged in {name}", "copy or save it again")
    return place


def _leaves(described: Any) -> Iterator[tuple[str, Any]]:
    """What stands in dicts, lists and tuples, by the names and numbers that lead to it."""
    waiting = [("", 0, described)]
    visits = characters = 0
    while waiting:
        name, depth, item = waiting.pop()
        visits += 1
        if not isinstance(item, (list, tuple, dict)):
            yield name, item
            continue
        # One list may stand in another twice, and so on: what is visited is counted, not held.
        if visits + len(waiting) + len(item) > _MOST_NAMES or depth >= _DEEPEST:
            raise too_many()
        inside = item.items() if isinstance(item, dict) else enumerate(item)
        below = [(f"{name}/{key}" if name else str(key), depth + 1, value) for key, value in inside]
        characters += sum(len(name) for name, _, _ in below)
        if characters > _LONGEST_NAMES or any(len(name) > LONGEST_NAME for name, _, _ in below):
            raise too_many()
        waiting += reversed(below)


class _Memory:
    """Finds the values of tensors.

    Args:
        file: The file.
        members: The members of the archive by name.
        prefix: What the names of those begin with that hold memory.
        big_endian: The byte order of the values.
    """

    def __init__(
        self,
        file: FlatFile,
        members: Mapping[str, zipfile.ZipInfo],
        prefix: str,
        big_endian: bool,
    ) -> None:
        self._file, self._members, self._prefix = file, members, prefix
        self._big_endian = big_endian

    def place(self, name: str, item: Any) -> tuple[ArrayInfo, int]:
        """An array for what stands under a name, and where its values begin."""
        if isinstance(item, OddKey):
            kind = printable(item.kind)
            return ArrayInfo(name, (), None, f"stands under a key that is a {kind}", kind), 0
        if not isinstance(item, Tensor):
            kind = printable(item.name if isinstance(item, Opaque) else type(item).__name__)
            return ArrayInfo(name, (), None, f"is no tensor but {kind}", kind), 0
        info = self._info(name, item)
        if info.refusal:
            return info, 0
        member = self._members.get(self._prefix + item.storage.key)
        start = item.offset * stored_dtype(info).itemsize
        if member is None or start + stored_bytes(info) > member.file_size:
            return ArrayInfo(name, item.shape, None, "has not all its values", broken=True), 0
        return info, _place_of(self._file, member) + start

    def _info(self, name: str, tensor: Tensor) -> ArrayInfo:
        dtype, narrow = None, _NARROW.get(tensor.kind, "")
        if narrow:
            dtype = wide_dtype(self._big_endian)
        elif tensor.kind in _DTYPES:
            dtype = np.dtype((">" if self._big_endian else "<") + _DTYPES[tensor.kind])
        kind = printable(tensor.kind)
        if dtype is None:
            return ArrayInfo(name, tensor.shape, None, f"holds {kind}", kind)
        fortran = _strides_of(tensor.shape[::-1]) == _of_long_axes(tensor)[::-1]
        plain = _strides_of(tensor.shape) == _of_long_axes(tensor)
        refusal = ""
        if not plain and not fortran and size_of(tensor.shape):
            refusal = "lies in another order than its axes; save it with .contiguous()"
        if tensor.altered:
            refusal = "is negated or conjugated by its metadata; save it with .resolve_neg()"
        return ArrayInfo(
            name, tensor.shape, dtype, refusal, fortran=fortran and not plain, narrow=narrow
        )


def _strides_of(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of an array in C order; 0 for axes of length 1, which have none."""
    strides, step = [], 1
    for length in reversed(shape):
        strides.append(step if length != 1 else 0)
        step *= length
    return tuple(reversed(strides))


def _of_long_axes(tensor: Tensor) -> tuple[int, ...]:
    return tuple(
        stride if length != 1 else 0
        for length, stride in zip(tensor.shape, tensor.strides, strict=True)
    )
