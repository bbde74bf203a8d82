"""Average every npy file of a directory into one array: ``npy_files.py DIR OUT AXES``."""

import sys
from pathlib import Path

import numpy as np

source, out, axes = sys.argv[1:]
axis = tuple(int(number) for number in axes.split(","))

paths = sorted(Path(source).glob("*.npy"))
rows = [np.load(path).mean(axis=axis, dtype="f8").astype("f4") for path in paths]
np.save(out, np.stack(rows))
