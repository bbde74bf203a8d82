"""Average a dataset read as a whole: ``h5py_whole.py IN OUT NAME AXES avg``."""

import sys

import h5py

source, out, name, axes = sys.argv[1:5]

with h5py.File(source) as file:
    maps = file[name][:]
with h5py.File(out, "w") as file:
    file[name] = maps.mean(axis=tuple(int(n) for n in axes.split(",")), dtype="f8").astype("f4")
