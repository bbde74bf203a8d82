"""The tensors in a PyTorch file: windows on storages, as the calls in its pickle describe them.

Source of the arguments: PyTorch's `torch/_utils.py` and `torch/serialization.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_MOST_AXES = 64


@dataclass(frozen=True)
class Opaque:
    """Something that is not built, for its name: ``numpy.ndarray``."""

    name: str


@dataclass(frozen=True)
class Storage:
    """The memory of a tensor, which lies in a member of its own.

    Attributes:
        kind: Its class, such as ``FloatStorage``.
        key: The name of the member.
    """

    kind: str
    key: str


@dataclass(frozen=True)
class Tensor:
    """A tensor: a window on a storage. Lengths and strides count values.

    Attributes:
        storage: Its memory.
        kind: The class of the storage, or the dtype where that has none.
        offset: Where it begins.
        shape: Its shape.
        strides: How far it is to the next value on every axis.
        altered: Its values are not those in memory, but their negatives or conjugates.
    """

    storage: Storage
    kind: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    altered: bool = False


def storage_of(said: Any) -> Storage:
    """The storage of a persistent id: ``('storage', class, key, device, length)``.

    Raises:
        TypeError: Its parts are none of that.
        ValueError: It is of another kind.
    """
    if not isinstance(said, tuple) or len(said) < 5 or said[0] != "storage":
        raise ValueError("a persistent id of another kind")
    _, kind, key, _, _ = said[:5]
    if not isinstance(kind, Opaque) or not isinstance(key, str):
        raise TypeError
    return Storage(kind.name.rpartition(".")[2], key)


def tensor_v2(arguments: Any) -> Tensor:
    """``_rebuild_tensor_v2(storage, offset, shape, strides, grad, hooks, metadata)``.

    Raises:
        TypeError: Its arguments are none of these.
        ValueError: They make no tensor.
    """
    return _window(arguments, metadata=arguments[6:7])


def tensor_v3(arguments: Any) -> Tensor:
    """``_rebuild_tensor_v3``, which has the dtype before the metadata; raises as `tensor_v2`."""
    return _window(arguments, dtype=arguments[6:7], metadata=arguments[7:8])


def _window(arguments: Any, metadata: Any, dtype: Any = ()) -> Tensor:
    storage, offset, shape, strides = arguments[:4]
    if not isinstance(storage, Storage) or type(offset) is not int or offset < 0:
        raise TypeError
    kind = storage.kind
    if dtype and isinstance(dtype[0], Opaque):
        kind = dtype[0].name
    shape, strides = sizes_of(shape), sizes_of(strides)
    if len(shape) != len(strides):
        raise ValueError("shape and strides differ")
    altered = bool(metadata) and bool(metadata[0])
    return Tensor(storage, kind, offset, shape, strides, altered)


def sizes_of(said: Any) -> tuple[int, ...]:
    """Lengths or strides.

    Raises:
        ValueError: They are none.
    """
    if not isinstance(said, (tuple, list)) or len(said) > _MOST_AXES:
        raise ValueError("no sizes")
    if any(type(size) is not int or not 0 <= size < 2**63 for size in said):
        raise ValueError("impossible sizes")
    return tuple(said)
