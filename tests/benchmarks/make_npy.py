"""Data in npy: one block of maps, written again and again."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from tests.benchmarks.maps import DISTINCT, relu_maps


def one(path: Path, count: int) -> None:
    """Write a single map, height x width x channels, of 0.4 MB."""
    np.save(path, relu_maps(1, (7, 7, 2048))[0])


def nhwc(path: Path, count: int) -> None:
    """Write float32 maps, channels last."""
    _tiled(path, count, relu_maps(count, (7, 7, 2048)))


def nhwc_larger(path: Path, count: int) -> None:
    """Write float32 maps of more positions, channels last."""
    _tiled(path, count, relu_maps(count, (14, 14, 2048)))


def nchw(path: Path, count: int) -> None:
    """Write float32 maps, channels first."""
    _tiled(path, count, relu_maps(count, (2048, 7, 7), channel_axis=0))


def nhwc_half(path: Path, count: int) -> None:
    """Write float16 maps, channels last."""
    _tiled(path, count, relu_maps(count, (7, 7, 2048)).astype(np.float16))


def files(path: Path, count: int) -> None:
    """Write a directory of files of 100 KB, a map each."""
    path.mkdir()
    block = relu_maps(count, (7, 7, 512))
    for number in range(count):
        np.save(path / f"{number:06}.npy", block[number % DISTINCT])


def _tiled(path: Path, count: int, block: np.ndarray) -> None:
    with open(path, "wb") as file:
        write_header(file, (count, *block.shape[1:]), block.dtype)
        for start in range(0, count, DISTINCT):
            file.write(block[: count - start].data.cast("B"))


def write_header(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Write the header of an npy file in C order."""
    header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(file, header)
