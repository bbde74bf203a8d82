"""How HDF5 files are opened: with caches that suit reading everything once; and how they fail."""

from __future__ import annotations

from typing import BinaryIO

import h5py

# What h5py raises on damaged files, and where an output has no room for something.
DAMAGE = (OSError, RuntimeError, ValueError, KeyError, TypeError)

# What HDF5 begins with. It would let it grow to 32 MB, which take 100 MB of memory, where many
# objects are opened once each, and be no faster for it.
_METADATA_BYTES = 1 << 20

# The most that HDF5 takes. Files of before HDF5 1.8 have all names of a group in one piece, which
# would be read again for every object in it if it didn't fit.
_MOST_METADATA_BYTES = 128 << 20


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
    keep_metadata_small(file, _METADATA_BYTES)
    return file


def keep_metadata_small(file: h5py.File, size: int) -> None:
    """Hold the cache of a file's headers and indexes to one size.

    Only a single piece that takes much of it makes it grow, by as much as it needs.

    Args:
        file: The file.
        size: Of its cache, in bytes. Memory takes about three times as many.
    """
    config = file.id.get_mdc_config()
    config.set_initial_size = True
    config.initial_size = config.min_size = size
    config.max_size = _MOST_METADATA_BYTES
    config.incr_mode = config.decr_mode = 0
    config.flash_incr_mode = 1
    config.flash_threshold, config.flash_multiple = 0.25, 1.4
    file.id.set_mdc_config(config)
