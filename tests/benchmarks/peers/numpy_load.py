"""Pool a whole npy file: ``numpy_load.py IN OUT AXES POOLING...``."""

import sys
from pathlib import Path

import numpy as np

source, out, axes, *poolings = sys.argv[1:]
axis = tuple(int(number) for number in axes.split(","))

maps = np.load(source)
# float32 is added in float64; float16 in float32, which holds its sums.
wide = "f4" if maps.dtype == np.float16 else "f8"
results = {}
for pooling in poolings:
    if pooling == "avg":
        results[pooling] = maps.mean(axis=axis, dtype=wide).astype("f4")
    else:
        results[pooling] = maps.max(axis=axis)

if len(poolings) == 1:
    np.save(out, results[poolings[0]])
else:
    stem = Path(source).stem
    np.savez(out, **{f"{stem}.{pooling}": result for pooling, result in results.items()})
