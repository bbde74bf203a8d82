"""Average every member of an npz file: ``npz_members.py IN OUT AXES``."""

import sys

import numpy as np

source, out, axes = sys.argv[1:]
axis = tuple(int(number) for number in axes.split(","))

with np.load(source) as members:
    results = {name: members[name].mean(axis=axis, dtype="f8").astype("f4") for name in members}
np.savez(out, **results)
