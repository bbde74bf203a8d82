"""Whether a peer's result is gpool's: a race between two that do not agree shows nothing."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

# Some peers add in float32.
_RELATIVE, _ABSOLUTE = 1e-4, 1e-5


def difference(ours: Path, theirs: Path) -> str:
    """What is different in a peer's result; nothing if they agree."""
    left, right = _read(ours), _read(theirs)
    if not left:
        return "gpool's result is empty"
    for name, wanted in left.items():
        if name not in right:
            return f"its result lacks {name}"
        # Pooled axes are 1 in gpool's results, and gone in those of scripts.
        found = np.squeeze(right[name])
        wanted = np.squeeze(wanted)
        if found.shape != wanted.shape:
            return f"{name or 'its result'} is {found.shape}, gpool's {wanted.shape}"
        if not np.allclose(found, wanted, rtol=_RELATIVE, atol=_ABSOLUTE):
            return f"{name or 'its result'} is off by {np.abs(found - wanted).max():g}"
    return ""


def _read(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a file by name; the one of an npy file has none."""
    if path.suffix == ".npy":
        return {"": np.load(path)}
    if path.suffix == ".npz":
        with np.load(path) as members:
            return {name: members[name] for name in members}
    arrays: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:

        def take(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                arrays[name] = item[()]

        file.visititems(take)
    return arrays
