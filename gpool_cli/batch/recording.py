"""What is said of inputs, as bytes that a later run reads: dataclasses as JSON, arrays as they are.

Whatever fields the nouns have travel along. Nothing that is read can be anything but these nouns.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from gpool_cli.formats.interface import WriteStyle
from gpool_cli.layout import Layout
from gpool_cli.model import (
    Alike,
    ArrayInfo,
    Failed,
    FileDone,
    InputFile,
    Opened,
    Result,
    Skipped,
    Warned,
)
from gpool_cli.packing import Packing
from gpool_cli.ranking import Ranking
from gpool_cli.recipe import PoolingSpec, Recipe
from gpool_cli.surroundings import Attribute, Surroundings

_NOUNS: dict[str, type[Any]] = {
    noun.__name__: noun
    for noun in (
        *(Alike, ArrayInfo, Attribute, Failed, FileDone, InputFile, Layout, Opened, PoolingSpec),
        *(Packing, Ranking, Recipe, Result, Skipped, Surroundings, Warned, WriteStyle),
    )
}


def encode(noun: Any, files: Mapping[InputFile, int]) -> bytes:
    """A noun as a line of JSON, and behind it the values of its arrays.

    Args:
        noun: One of the dataclasses known here, or a tuple of them and of plain values.
        files: Inputs that are known by their number.
    """
    payload: list[bytes] = []

    def plain(value: Any) -> Any:
        if isinstance(value, (tuple, list)):
            return [plain(one) for one in value]
        if isinstance(value, InputFile) and value in files:
            return {"file": files[value]}
        if isinstance(value, np.ndarray):
            return _plain_array(value)
        if isinstance(value, np.dtype):
            return {"dtype": _descr_of(value)}
        if isinstance(value, bytes):
            return {"bytes": base64.b64encode(value).decode()}
        if type(value).__name__ in _NOUNS:
            kind = type(value)
            said = {one.name: plain(getattr(value, one.name)) for one in fields(kind)}
            return {"is": kind.__name__, **said}
        return value.item() if isinstance(value, np.generic) else value

    def _plain_array(values: np.ndarray) -> Any:
        said = {"array": list(values.shape), "dtype": _descr_of(values.dtype)}
        if values.dtype.hasobject:
            return {**said, "items": plain(values.ravel().tolist())}
        payload.append(np.ascontiguousarray(values).tobytes())
        return said

    line = json.dumps(plain(noun), separators=(",", ":")).encode() + b"\n"
    return line + b"".join(payload)


def decode(line: bytes, read: Callable[[int], bytes], files: list[InputFile]) -> Any:
    """The noun of a line.

    Args:
        line: What `encode` gave, up to the end of the line.
        read: Reads so many bytes of what comes behind it.
        files: The inputs by their numbers.

    Raises:
        ValueError: It is no such line.
        TypeError, KeyError, IndexError: The same.
    """

    def noun(said: Any) -> Any:
        if isinstance(said, list):
            return tuple(noun(one) for one in said)
        if not isinstance(said, dict):
            return said
        if "file" in said and len(said) == 1:
            return files[said["file"]]
        if "array" in said:
            return _array(said)
        if "dtype" in said and len(said) == 1:
            return _dtype(said["dtype"])
        if "bytes" in said:
            return base64.b64decode(said["bytes"])
        kind = _NOUNS[said["is"]]
        return kind(**{name: noun(value) for name, value in said.items() if name != "is"})

    def _array(said: dict[str, Any]) -> np.ndarray:
        dtype, shape = _dtype(said["dtype"]), tuple(said["array"])
        if dtype.hasobject:
            values = np.empty(shape, dtype)
            flat = values.reshape(-1)
            for i, item in enumerate(noun(said["items"])):
                flat[i] = item
            return values
        raw = read(math.prod(shape) * dtype.itemsize)
        return np.frombuffer(raw, dtype).reshape(shape)

    return noun(json.loads(line))


def _descr_of(dtype: np.dtype[Any]) -> Any:
    """A dtype as JSON has it, without what h5py notes in it: `Attribute.kind` says that."""
    if dtype.subdtype is not None:
        return [_descr_of(dtype.subdtype[0]), dtype.shape]
    if dtype.fields is None:
        return dtype.str
    parts = [dtype.fields[name] for name in dtype.names or ()]
    return {
        "names": dtype.names,
        "formats": [_descr_of(part[0]) for part in parts],
        "offsets": [part[1] for part in parts],
        "itemsize": dtype.itemsize,
    }


def _dtype(descr: Any) -> np.dtype[Any]:
    if isinstance(descr, list):
        return np.dtype((_dtype(descr[0]), tuple(descr[1])))
    if isinstance(descr, dict):
        descr = {**descr, "formats": [_dtype(field) for field in descr["formats"]]}
    dtype: np.dtype[Any] = np.dtype(descr)
    return dtype
