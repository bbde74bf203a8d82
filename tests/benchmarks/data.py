"""The data of the benchmarks: made when first needed, gone when no longer needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import make_hdf5, make_npy, make_npz


@dataclass(frozen=True)
class Kind:
    """One kind of data file.

    Attributes:
        suffix: What the file's name ends with; none is a directory.
        make: Writes it, with so many maps.
        nbytes: What one map takes, decoded.
        scales: Whether ``--scale`` changes how many maps there are.
    """

    suffix: str
    make: Callable[[Path, int], None]
    nbytes: int
    scales: bool = True


KINDS: dict[str, Kind] = {
    "one": Kind(".npy", make_npy.one, 4 * 7 * 7 * 2048, scales=False),
    "nhwc": Kind(".npy", make_npy.nhwc, 4 * 7 * 7 * 2048),
    "nhwc_larger": Kind(".npy", make_npy.nhwc_larger, 4 * 14 * 14 * 2048),
    "nchw": Kind(".npy", make_npy.nchw, 4 * 7 * 7 * 2048),
    "nhwc_half": Kind(".npy", make_npy.nhwc_half, 2 * 7 * 7 * 2048),
    "files": Kind("", make_npy.files, 4 * 7 * 7 * 512),
    "npz": Kind(".npz", make_npz.members, make_npz.MEMBERS * 4 * 7 * 7 * 2048),
    "gzip": Kind(".h5", make_hdf5.gzip, 4 * 7 * 7 * 2048),
    "lzf": Kind(".h5", make_hdf5.lzf, 4 * 7 * 7 * 2048),
    "zstd": Kind(".h5", make_hdf5.zstd, 4 * 7 * 7 * 2048),
    "blosc": Kind(".h5", make_hdf5.blosc, 4 * 7 * 7 * 2048),
    "contiguous": Kind(".h5", make_hdf5.contiguous, 4 * 7 * 7 * 2048),
    "groups": Kind(".h5", make_hdf5.groups, 4 * 256 * 100),
}


@dataclass(frozen=True)
class Data:
    """Data that a work reads.

    Attributes:
        kind: A key of ``KINDS``.
        count: How many maps it has at scale 1.
    """

    kind: str
    count: int

    def count_at(self, scale: float) -> int:
        """How many maps it has at a scale: at least two, so that there is something to stack."""
        return max(2, round(self.count * scale)) if KINDS[self.kind].scales else self.count

    def nbytes_at(self, scale: float) -> int:
        """How many bytes its maps take, decoded."""
        return self.count_at(scale) * KINDS[self.kind].nbytes

    def name_at(self, scale: float) -> str:
        """Its name in the directory; another size is another name."""
        return f"{self.kind}_{self.count_at(scale)}{KINDS[self.kind].suffix}"


class Store:
    """The directory of the data.

    Args:
        directory: Where it is.
        scale: How large the data are.
        keep: Leave them there.
    """

    def __init__(self, directory: Path, scale: float, *, keep: bool) -> None:
        self.directory = directory
        self.scale = scale
        self._keep = keep
        self._made: set[Path] = set()

    def path_of(self, data: Data) -> Path:
        """Make the data if they are not there, and say where they are."""
        path = self.directory / data.name_at(self.scale)
        if not path.exists():
            part = path.with_name(f"part_{path.name}")
            _remove(part)
            self._made |= {part, path}
            KINDS[data.kind].make(part, data.count_at(self.scale))
            _to_disk(part)
            part.rename(path)
        return path

    def drop_all_but(self, wanted: Iterable[Data]) -> None:
        """Delete what was made here and is no longer needed."""
        if self._keep:
            return
        names = {data.name_at(self.scale) for data in wanted}
        for path in [path for path in self._made if path.name not in names]:
            _remove(path)
            self._made.discard(path)

    def close(self) -> None:
        """Delete what may not stay."""
        self.drop_all_but(())
        for path in self._made:
            if path.name.startswith("part_"):
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Wait until the file is on the disk: else the kernel would write it while we measure."""
    if path.is_dir():
        if hasattr(os, "sync"):
            os.sync()
        return
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
