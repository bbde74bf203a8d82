"""MATLAB 7.3: HDF5 behind a header of 512 bytes, with the axes of every array reversed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

CLASSES = {"float64": "double", "float32": "single", "bool": "logical"}
HEADER = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 ."


def write(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]], **options: Any) -> None:
    """Write variables, each as MATLAB has it."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            dataset = file.create_dataset(name, data=array.T, **options)
            kind = CLASSES.get(array.dtype.name, array.dtype.name)
            dataset.attrs["MATLAB_class"] = np.bytes_(kind)
    sign(path)


def sign(path: Path) -> None:
    """Give an HDF5 file with room for it the header that MATLAB writes."""
    with path.open("r+b") as file:
        file.write(HEADER.ljust(124) + b"\x00\x02IM")
