"""The healthy files that are damaged: small ones, of every kind that gpool reads in its own way."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from tests.making import mat, pt, safetensors
from tests.making.stores import pack

VALUES = np.random.default_rng(5).normal(size=(3, 4, 5, 6)).astype("f4")


def seeds() -> dict[str, bytes]:
    """Healthy files by name."""
    return dict([*_npy(), *_npz(), *_hdf5(), *_mat(), *_safetensors(), *_pt(), *_zarr()])


def _npy() -> Iterator[tuple[str, bytes]]:
    for name, values in {
        "c": VALUES,
        "fortran": np.asfortranarray(VALUES),
        "swapped": VALUES.astype(">f8"),
        "half": VALUES.astype("f2"),
        "bool": VALUES > 0,
        "vector": VALUES[0, 0],
    }.items():
        file = io.BytesIO()
        np.save(file, values)
        yield f"{name}.npy", file.getvalue()


def _npz() -> Iterator[tuple[str, bytes]]:
    for name, save in {"stored": np.savez, "deflated": np.savez_compressed}.items():
        file = io.BytesIO()
        save(file, a=VALUES, b=VALUES[:2].astype("u1"))
        yield f"{name}.npz", file.getvalue()


def _hdf5() -> Iterator[tuple[str, bytes]]:
    chunked = {"chunks": (1, 4, 5, 6)}
    gzip = {**chunked, "compression": "gzip", "shuffle": True}
    for name, options in {
        "contiguous": {},
        "chunked": chunked,
        "gzip": gzip,
        "checked": {**gzip, "fletcher32": True},
        "lzf": {**chunked, "compression": "lzf"},
        "growing": {**gzip, "maxshape": (None, 4, 5, None)},
    }.items():
        for libver in ("earliest", "latest"):
            file = io.BytesIO()
            with h5py.File(file, "w", libver=libver) as h5:
                dataset = h5.create_dataset("g/m", data=VALUES, **options)
                dataset.attrs["layout"] = "NHWC"
                h5["g"].attrs["note"] = ["some", "text"]
                h5["link"] = h5py.SoftLink("/g/m")
                h5["other"] = np.arange(5)
            yield f"{name}_{libver}.h5", file.getvalue()


def _mat() -> Iterator[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as place:
        for name, options in {"plain": {}, "gzip": {"chunks": True, "compression": 4}}.items():
            path = Path(place, "a.mat")
            mat.write(path, {"m": VALUES, "flag": VALUES > 0}, **options)
            yield f"{name}.mat", path.read_bytes()


def _safetensors() -> Iterator[tuple[str, bytes]]:
    yield "two.safetensors", safetensors.file_of({"a": VALUES, "b": VALUES[:2].astype("u1")})
    header = {"x": safetensors.entry("BF16", (2, 3, 4), 0, 48)}
    yield "narrow.safetensors", safetensors.with_header(header, VALUES.tobytes()[:48])


def _pt() -> Iterator[tuple[str, bytes]]:
    yield "pair.pt", pt.file_of({"a": VALUES, "b": np.asfortranarray(VALUES[:2].astype("i8"))})
    tensor = pt.tensor("0", "bf16", (4, 5, 6), (30, 6, 1), offset=30)
    yield "alone.pt", pt.archive(tensor, {"0": VALUES.tobytes()})


def _zarr() -> Iterator[tuple[str, bytes]]:
    """Stores as zarr-python writes them; none where it is not installed."""
    try:
        import zarr
    except ImportError:
        return
    chunks = {"chunks": (2, 2, 5, 6), "shape": VALUES.shape, "dtype": "f4"}
    for name, version, options in [
        ("v2", 2, {}),
        ("v2_plain", 2, {"compressors": None, "order": "F"}),
        ("v3", 3, {}),
        ("v3_gzip", 3, {"compressors": zarr.codecs.GzipCodec()}),
        ("v3_sharded", 3, {"shards": (4, 4, 5, 6)}),
    ]:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place, "a.zarr")
            group = zarr.open_group(path, mode="w", zarr_format=version)
            group.create_array("g/m", **chunks, **options)[...] = VALUES
            yield f"{name}.zarr", pack(path)
