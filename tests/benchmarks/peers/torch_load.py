"""Pool a whole npy file with torch: ``torch_load.py IN OUT AXES POOLING...``."""

import sys
from pathlib import Path

import numpy as np
import torch

source, out, axes, *poolings = sys.argv[1:]
dim = tuple(int(number) for number in axes.split(","))

maps = torch.from_numpy(np.load(source))
wide = torch.float32 if maps.dtype == torch.float16 else torch.float64
results = {}
for pooling in poolings:
    if pooling == "avg":
        results[pooling] = maps.mean(dim=dim, dtype=wide).float().numpy()
    else:
        results[pooling] = maps.amax(dim=dim).numpy()

if len(poolings) == 1:
    np.save(out, results[poolings[0]])
else:
    stem = Path(source).stem
    np.savez(out, **{f"{stem}.{pooling}": result for pooling, result in results.items()})
