"""PyTorch's .pt as `torch.save` writes it: a stored zip archive, a pickle of protocol 2, memory.

The opcodes were put together by hand after a file that PyTorch wrote.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

STORAGES = {
    **{"f8": "DoubleStorage", "f4": "FloatStorage", "f2": "HalfStorage", "?": "BoolStorage"},
    **{"i8": "LongStorage", "i4": "IntStorage", "i2": "ShortStorage", "i1": "CharStorage"},
    **{"u1": "ByteStorage", "bf16": "BFloat16Storage"},
}
# Those have no storage class of their own: version 3 of a tensor names the dtype.
DTYPES = {"u2": "uint16", "u4": "uint32", "u8": "uint64"}


def letters_of(array: np.ndarray[Any, Any]) -> str:
    return array.dtype.str[1:] if array.dtype.kind != "b" else "?"


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + len(raw).to_bytes(4, "little") + raw


def number(value: int) -> bytes:
    if value < 256:
        return b"K" + bytes([value])
    raw = value.to_bytes(8, "little", signed=True)
    return b"\x8a\x08" + raw


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(
    key: str,
    letters: str,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int = 0,
    count: int | None = None,
    dtype: str = "",
    metadata: bytes = b"",
) -> bytes:
    """The opcodes of one tensor; of version 3 where a dtype is named."""
    count = count if count is not None else int(np.prod(shape))
    dtype = dtype or DTYPES.get(letters, "")
    storage = "ctorch.storage\nUntypedStorage\n" if dtype else f"ctorch\n{STORAGES[letters]}\n"
    head = f"ctorch._utils\n_rebuild_tensor_v{3 if dtype else 2}\n".encode()
    memory = b"(" + text("storage") + storage.encode() + text(key) + text("cpu") + number(count)
    rest = b"\x89ccollections\nOrderedDict\n)R" + (f"ctorch\n{dtype}\n".encode() if dtype else b"")
    rest += metadata
    window = number(offset) + numbers(shape) + numbers(strides)
    return head + b"(" + memory + b"tQ" + window + rest + b"tR"


def archive(
    described: bytes, memory: Mapping[str, bytes], byte_order: str = "little", top: str = "archive"
) -> bytes:
    """A file: what describes the tensors, without its first and last opcode, and their memory."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(f"{top}/data.pkl", b"\x80\x02" + described + b".")
        made.writestr(f"{top}/byteorder", byte_order)
        for key, data in memory.items():
            made.writestr(f"{top}/data/{key}", data)
        made.writestr(f"{top}/version", b"3\n")
    return file.getvalue()


def dict_of(items: Mapping[str, bytes]) -> bytes:
    """The opcodes of a dict of what these opcodes make."""
    return b"}q\x00(" + b"".join(text(name) + made for name, made in items.items()) + b"u"


def file_of(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """A dict of tensors; those in Fortran order stay so, as after a transposition in PyTorch."""
    big_endian = any(array.dtype.str[0] == ">" for array in arrays.values())
    items, memory = {}, {}
    for key, (name, array) in enumerate(arrays.items()):
        native = array.astype(array.dtype.newbyteorder(">" if big_endian else "<"))
        strides = tuple(stride // array.itemsize for stride in native.strides)
        items[name] = tensor(str(key), letters_of(array), array.shape, strides)
        memory[str(key)] = native.tobytes("A")
    return archive(dict_of(items), memory, "big" if big_endian else "little")
