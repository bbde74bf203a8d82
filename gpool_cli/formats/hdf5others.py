"""The datasets of an HDF5 input that are not pooled, on their way to an output.

They go through a temporary file: the input is opened by a worker only, the output by the process
that writes it. Their names may be any, so in that file they are called by numbers.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import h5py

from gpool_cli import pulse
from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5opening import DAMAGE
from gpool_cli.formats.hdf5walk import Walk
from gpool_cli.printable import printable

_NAMES = "names"

# Links between datasets and scales, which mean nothing in another file.
_LINKS = (b"DIMENSION_LIST", b"REFERENCE_LIST")


def save_others(root: Any, pooled: set[str], directory: str) -> str:
    """Copy datasets as they are stored.

    Args:
        root: The low-level root group of the input.
        pooled: The names of those that stay behind.
        directory: Where the temporary file goes.

    Returns:
        The path of the file; '' where there is nothing to carry.

    Raises:
        InputError: One can't be read.
        OSError: There is no room for the file.
    """
    handle, path = tempfile.mkstemp(suffix=".h5", dir=directory)
    os.close(handle)
    names: list[str] = []
    try:
        with h5py.File(path, "w") as file:
            for node in Walk(root):
                pulse.look()
                if node.name in pooled or not isinstance(node.item, h5py.h5d.DatasetID):
                    continue
                _copy(node.item, file, str(len(names)).encode(), node.name)
                names.append(node.name)
            encoded = [name.encode("utf-8", "surrogateescape") for name in names]
            file.create_dataset(_NAMES, data=encoded, dtype=h5py.string_dtype())
    except BaseException:
        os.unlink(path)
        raise
    if not names:
        os.unlink(path)
        return ""
    return path


def _copy(item: Any, file: h5py.File, number: bytes, name: str) -> None:
    try:
        dataset = h5py.Dataset(item)
        if dataset.is_virtual or dataset.external:
            raise ValueError("its values lie in other files")
        pulse.read(dataset.id.get_storage_size())
        h5py.h5o.copy(item, b".", file.id, number)
    except DAMAGE as error:
        raise InputError(
            f"{printable(name)} can't be carried over: {printable(str(error))}",
            "leave out --copy-others",
        ) from None
    copy = h5py.h5o.open(file.id, number)
    for link in _LINKS:
        if h5py.h5a.exists(copy, link):
            h5py.h5a.delete(copy, link)


def saved_others(path: str) -> Iterator[tuple[str, Any, bytes]]:
    """The datasets in a file that `save_others` made.

    Yields:
        The name that a dataset had, the low-level file that it is in, and what it is called there.
    """
    with h5py.File(path, "r") as file:
        for number, raw in enumerate(file[_NAMES][()]):
            yield raw.decode("utf-8", "surrogateescape"), file.id, str(number).encode()
