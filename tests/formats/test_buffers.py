"""Memory that blocks are read into: one owner at a time, and kept for the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.formats import buffers
from gpool_cli.formats.buffers import borrowed
from gpool_cli.formats.hdf5reader import Hdf5Reader
from gpool_cli.formats.npy import NpyReader


@pytest.fixture(autouse=True)
def nothing_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "_spare", [])


def test_who_comes_next_gets_the_same_memory() -> None:
    with borrowed() as first:
        memory = first.take("block", 1000)
    with borrowed() as second:
        assert np.shares_memory(second.take("block", 500), memory)


def test_who_comes_meanwhile_gets_other_memory() -> None:
    with borrowed() as first, borrowed() as second:
        assert not np.shares_memory(first.take("block", 1000), second.take("block", 1000))


def test_what_is_for_one_thing_is_not_for_another() -> None:
    with borrowed() as mine:
        assert not np.shares_memory(mine.take("block", 1000), mine.take("stored", 1000))


def test_what_was_too_small_grows() -> None:
    with borrowed() as mine:
        mine.take("block", 10)
        assert len(mine.take("block", 1000)) == 1000
        assert mine.nbytes == 1000


def test_huge_memory_is_not_kept() -> None:
    with borrowed() as huge:
        huge.take("block", 100 << 20)
    with borrowed() as next_one:
        assert next_one is not huge


def test_it_comes_back_after_an_error() -> None:
    with pytest.raises(ValueError, match="damaged"), borrowed() as first:
        raise ValueError("damaged")
    with borrowed() as second:
        assert second is first


@pytest.fixture(params=[NpyReader, Hdf5Reader])
def two_arrays(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Iterator[np.ndarray]]]:
    """The values of two files, block by block of one row."""
    monkeypatch.setattr("gpool_cli.formats.interface.cut_rows.__defaults__", (24,))
    readers, values = [], []
    for i in range(2):
        path = tmp_path / f"{i}"
        if request.param is NpyReader:
            with open(path, "wb") as file:
                np.save(file, np.full((4, 6), i, np.float32))
        else:
            with h5py.File(path, "w") as h5:
                h5["x"] = np.full((4, 6), i, np.float32)
        readers.append(request.param(str(path)))
        info = next(iter(readers[-1].arrays()))
        values.append(block for _, block in readers[-1].blocks(info))
    yield values
    for reader in readers:
        reader.close()


def test_arrays_that_are_read_in_turns_do_not_mix(two_arrays: list[Iterator[np.ndarray]]) -> None:
    count = 0
    for first, second in zip(*two_arrays, strict=True):
        assert (first == 0).all()
        assert (second == 1).all()
        count += 1
    assert count == 4
