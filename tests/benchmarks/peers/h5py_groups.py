"""Take the maximum of one dataset in every group: ``h5py_groups.py IN OUT NAME``.

The datasets are D x points, and the result has a dataset of D at the same place.
"""

import sys

import h5py

source, out, wanted = sys.argv[1:]

with h5py.File(source) as file, h5py.File(out, "w") as results:

    def pool(path: str, item: h5py.Group | h5py.Dataset) -> None:
        """Pool one thing in the file, if it is wanted."""
        if isinstance(item, h5py.Dataset) and path.rpartition("/")[2] == wanted:
            results[path] = item[:].max(axis=1)

    file.visititems(pool)
