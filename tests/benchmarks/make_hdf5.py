"""Data in HDF5: the chunks of one block, compressed once and written again and again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.benchmarks.maps import DISTINCT, relu_maps

NAME = "features"
SHAPE = (7, 7, 2048)


def gzip(path: Path, count: int) -> None:
    """Write maps by gzip and shuffle, one a chunk."""
    _chunked(path, count, compression="gzip", shuffle=True)


def lzf(path: Path, count: int) -> None:
    """Write maps by lzf and shuffle, one a chunk."""
    _chunked(path, count, compression="lzf", shuffle=True)


def zstd(path: Path, count: int) -> None:
    """Write maps by zstd and shuffle, one a chunk."""
    import hdf5plugin

    _chunked(path, count, compression=hdf5plugin.Zstd(), shuffle=True)


def blosc(path: Path, count: int) -> None:
    """Write maps by blosc as hdf5plugin sets it up (lz4, its own shuffle), one a chunk."""
    import hdf5plugin

    _chunked(path, count, compression=hdf5plugin.Blosc())


def contiguous(path: Path, count: int) -> None:
    """Write maps without chunks."""
    block = relu_maps(count, SHAPE)
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(NAME, (count, *SHAPE), "float32")
        for start in range(0, count, DISTINCT):
            dataset[start : start + DISTINCT] = block[: count - start]


def groups(path: Path, count: int) -> None:
    """Write a group per image, as hloc keeps local features: descriptors are D x points."""
    descriptors = relu_maps(count, (256, 100), channel_axis=0)
    points = np.random.default_rng(0).random((DISTINCT, 100, 2), np.float32)
    with h5py.File(path, "w") as file:
        for number in range(count):
            group, one = file.create_group(f"db/{number:06}.jpg"), number % DISTINCT
            group["keypoints"] = points[one]
            group["scores"] = points[one, :, 0]
            group["descriptors"] = descriptors[one]


def _chunked(path: Path, count: int, **filters: Any) -> None:
    chunks = list(_compressed(min(count, DISTINCT), filters))
    with h5py.File(path, "w") as file:
        dataset = _dataset(file, count, filters)
        for number in range(count):
            mask, raw = chunks[number % DISTINCT]
            dataset.id.write_direct_chunk((number, 0, 0, 0), raw, mask)


def _compressed(count: int, filters: dict[str, Any]) -> Iterable[tuple[int, bytes]]:
    """Every chunk of the block as HDF5 stores it: which filters it skipped, and its bytes."""
    with h5py.File("block.h5", "w", driver="core", backing_store=False) as file:
        dataset = _dataset(file, count, filters)
        dataset[:] = relu_maps(count, SHAPE)
        file.flush()
        for number in range(count):
            yield dataset.id.read_direct_chunk((number, 0, 0, 0))


def _dataset(file: h5py.File, count: int, filters: dict[str, Any]) -> h5py.Dataset:
    shape, chunks = (count, *SHAPE), (1, *SHAPE)
    return file.create_dataset(NAME, shape, "float32", chunks=chunks, **filters)
