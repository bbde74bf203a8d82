"""Average a chunked dataset chunk by chunk: ``h5py_chunks.py IN OUT NAME AXES avg [--plugins]``.

Chunks are taken to hold whole maps, as those of the benchmarks do.
"""

import sys

import h5py
import numpy as np

if "--plugins" in sys.argv:
    import hdf5plugin  # noqa: F401  (it registers the filters)

source, out, name, axes = sys.argv[1:5]
axis = tuple(int(number) for number in axes.split(","))

with h5py.File(source) as file:
    maps = file[name]
    kept = [length for number, length in enumerate(maps.shape) if number not in axis]
    result = np.empty(kept, "f4")
    for chunk in maps.iter_chunks():
        result[chunk[0]] = maps[chunk].mean(axis=axis, dtype="f8")
with h5py.File(out, "w") as file:
    file[name] = result
