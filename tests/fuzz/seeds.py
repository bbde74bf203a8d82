"""The healthy files that are damaged: small ones, of every kind that gpool reads in its own way."""

from __future__ import annotations

import io
from collections.abc import Iterator

import h5py
import numpy as np

VALUES = np.random.default_rng(5).normal(size=(3, 4, 5, 6)).astype("f4")


def seeds() -> dict[str, bytes]:
    """Healthy files by name."""
    return dict([*_npy(), *_npz(), *_hdf5()])


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
