"""How HDF5 files are opened: with caches that suit reading everything once; and how they fail."""

from __future__ import annotations

from typing import BinaryIO

import h5py

# What h5py raises on damaged files, and where an output has no room for something.
DAMAGE = (OSError, RuntimeError, ValueError, KeyError, TypeError)

# What HDF5 begins with. It would let it grow to 32 MB, which take 100 MB of memory, where many
# objects are opened once each, and be no faster for it.
_METADATA_BYTES = 2 << 20


def open_hdf5(path: str | BinaryIO, lock: bool = True) -> h5py.File:
    """Open a file for reading.

    Args:
        path: The file; one that is open already must be seekable.
        lock: Don't open what another program has locked.

    Raises:
        OSError: It can't be opened, or is no HDF5 file.
        RuntimeError: The same, from HDF5.
        ValueError: The same, from h5py.
    """
    # Blocks are whole chunks: a cache of decoded chunks would never be hit.
    file = h5py.File(path, "r", rdcc_nbytes=0, locking=None if lock else False)
    keep_metadata_small(file)
    return file


def keep_metadata_small(file: h5py.File) -> None:
    """Hold the cache of a file's headers and indexes to one size."""
    config = file.id.get_mdc_config()
    config.set_initial_size = True
    config.initial_size = config.min_size = config.max_size = _METADATA_BYTES
    config.incr_mode = config.flash_incr_mode = config.decr_mode = 0
    file.id.set_mdc_config(config)
