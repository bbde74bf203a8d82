"""What HDF5 keeps of a file's headers and indexes."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from gpool_cli.formats.hdf5opening import open_hdf5

LONG = "a" * 1000


def file_with(path: Path, names: list[str], version: str) -> str:
    """A file with a group of each name."""
    with h5py.File(path, "w", libver=version) as file:
        for name in names:
            file.create_group(name)
    return str(path)


def misses_of(file: h5py.File, names: list[str]) -> float:
    """The share of what is looked for while all groups are opened that must be read first."""
    file.id.reset_mdc_hit_rate_stats()
    for name in names:
        h5py.h5o.open(file.id, name.encode())
    return 1 - float(file.id.get_mdc_hit_rate())


def test_names_that_are_one_large_piece_are_read_once(tmp_path: Path) -> None:
    names = [f"{i:04}{LONG}" for i in range(4000)]
    path = file_with(tmp_path / "old.h5", names, "earliest")
    with open_hdf5(path) as file:
        h5py.h5o.open(file.id, names[0].encode())
        assert misses_of(file, names) < 0.3
        assert 4e6 < file.id.get_mdc_size()[0] < 1e7


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_many_objects_do_not_make_it_grow(tmp_path: Path, version: str) -> None:
    names = [f"{i:05}/a" for i in range(10_000)]
    path = file_with(tmp_path / "many.h5", names, version)
    with open_hdf5(path) as file:
        before = file.id.get_mdc_size()[0]
        assert misses_of(file, names) > 0
        assert file.id.get_mdc_size()[0] == before
