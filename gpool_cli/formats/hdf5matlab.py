"""MATLAB's .mat, version 7.3: HDF5 with a header before it, and the axes of every array reversed.

MATLAB keeps arrays with the first index running fastest, and HDF5 the other way round: what MATLAB
calls H×W×C lies in the file as C×W×H. It is shown and pooled here as MATLAB has it. Source:
"MAT-File Versions" in MATLAB's documentation, and the attributes that such files have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO

import h5py

from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5opening import DAMAGE
from gpool_cli.formats.hdf5reader import Hdf5Reader
from gpool_cli.formats.hdf5walk import Node
from gpool_cli.formats.interface import Array
from gpool_cli.model import ArrayInfo, Block, Part

_NOTE = "axes as MATLAB has them, the reverse of their order in HDF5"

# What else is an array in the file, and none in MATLAB.
_CLASSES = {b"char": "holds text", b"cell": "is a cell array", b"function_handle": "is a function"}
_INSIDE = {"#refs#": "belongs to a cell array or a struct", "#subsystem#": "belongs to an object"}


class MatlabReader(Hdf5Reader):
    """Reads the variables of a workspace; what structs and cells hold is listed as skipped.

    Args:
        path: A regular file.
    """

    def _see(self, node: Node) -> ArrayInfo | None:
        info = super()._see(node)
        return self._as_in_matlab(info) if info is not None else None

    def blocks(
        self, info: ArrayInfo, parts: Sequence[Part] | None = None
    ) -> Iterator[tuple[Block, Array]]:
        return super().blocks(replace(info, shape=info.memory_shape, fortran=False), parts)

    def _check_start(self, file: BinaryIO) -> None:
        _check_version(file.read(19))

    def _as_in_matlab(self, info: ArrayInfo) -> ArrayInfo:
        layout = info.file_layout[::-1] if info.file_layout is not None else None
        info = replace(info, shape=info.shape[::-1], file_layout=layout, fortran=True)
        if info.refusal or info.dtype is None:
            return info
        top, _, below = info.dataset.partition("/")
        if below:
            reason = _INSIDE.get(top, "is a field of a struct; save it as a variable of its own")
            return replace(info, refusal=reason)
        try:
            return replace(info, refusal=self._reason_of(info.dataset), note=_NOTE)
        except DAMAGE:
            return replace(info, refusal="has a MATLAB_class that is no text", broken=True)

    def _reason_of(self, name: str) -> str:
        """Why a variable is no array of numbers; '' where it is one."""
        attributes = h5py.AttributeManager(h5py.Dataset(self.item_of(name)))
        if "MATLAB_empty" in attributes:
            return "is empty"
        said = attributes.get("MATLAB_class", b"")
        if not isinstance(said, (bytes, str)):
            raise TypeError
        return _CLASSES.get(said.encode() if isinstance(said, str) else said, "")


def _check_version(start: bytes) -> None:
    """Refuse what MATLAB 7.3 did not write, by its first bytes."""
    if start == b"MATLAB 7.3 MAT-file":
        return
    if start.startswith(b"MATLAB 5.0 MAT-file"):
        raise InputError(
            "is a MATLAB file of version 7 or older", "save it again with: save(NAME, '-v7.3')"
        )
    hint = "save it with: save(NAME, '-v7.3')"
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        hint = "name it .h5"
    raise InputError("is no MATLAB 7.3 file", hint)
