"""Average an npy file through a memory map: ``numpy_mmap.py IN OUT AXES avg``."""

import sys

import numpy as np

source, out, axes, _ = sys.argv[1:]

maps = np.load(source, mmap_mode="r")
np.save(out, maps.mean(axis=tuple(int(n) for n in axes.split(",")), dtype="f8").astype("f4"))
