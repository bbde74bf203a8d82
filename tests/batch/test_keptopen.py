"""A file stays open from one part to the next, as long as it is the same file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.access import DEFAULT_ACCESS
from gpool_cli.batch.keptopen import kept_open, let_go
from gpool_cli.formats.interface import Reader


@pytest.fixture(autouse=True)
def nothing_open() -> Iterator[None]:
    let_go()
    yield
    let_go()


@pytest.fixture(params=["npy", "h5"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return write(tmp_path / f"maps.{request.param}", 1.0)


def write(path: Path, value: float) -> str:
    maps = np.full((2, 2, 3), value, np.float32)
    if path.suffix == ".npy":
        np.save(path, maps)
    else:
        with h5py.File(path, "w") as file:
            file["maps"] = maps
    return str(path)


def first_value(reader: Reader) -> float:
    info = next(iter(reader.arrays()))
    return float(next(reader.blocks(info))[1].flat[0])


def is_open(path: str) -> bool:
    def names() -> Iterator[str]:
        for number in os.listdir("/proc/self/fd"):
            with contextlib.suppress(FileNotFoundError):  # That which lists them is one of them.
                yield os.readlink(f"/proc/self/fd/{number}")

    return path in names()


def test_the_same_file_is_opened_once(path: str) -> None:
    with kept_open(path, DEFAULT_ACCESS) as first:
        assert first_value(first) == 1
    with kept_open(path, DEFAULT_ACCESS) as second:
        assert second is first


def test_a_file_that_was_replaced_is_read_as_it_is_now(path: str) -> None:
    with kept_open(path, DEFAULT_ACCESS) as reader:
        assert first_value(reader) == 1
    other = write(Path(path).with_name("other" + Path(path).suffix), 2.0)
    os.utime(other, ns=(0, os.stat(path).st_mtime_ns))
    os.replace(other, path)
    with kept_open(path, DEFAULT_ACCESS) as reader:
        assert first_value(reader) == 2


def test_a_file_that_was_written_to_is_read_as_it_is_now(path: str) -> None:
    with kept_open(path, DEFAULT_ACCESS) as reader:
        assert first_value(reader) == 1
    with open(path, "r+b") as file:
        content = file.read()
        file.seek(0)
        file.write(content.replace(np.float32(1).tobytes(), np.float32(3).tobytes()))
    os.utime(path, ns=(0, os.stat(path).st_mtime_ns + 1))
    with kept_open(path, DEFAULT_ACCESS) as reader:
        assert first_value(reader) == 3


def test_another_way_to_open_it_is_another_reader(path: str) -> None:
    with kept_open(path, DEFAULT_ACCESS) as first:
        pass
    with kept_open(path, replace(DEFAULT_ACCESS, lock=False)) as second:
        assert second is not first


def test_a_file_of_which_others_may_be_a_part_is_opened_each_time(path: str) -> None:
    access = replace(DEFAULT_ACCESS, follow=True)
    with kept_open(path, access) as first:
        pass
    with kept_open(path, access) as second:
        assert second is not first


def test_after_an_error_it_is_opened_anew(path: str) -> None:
    with pytest.raises(ValueError, match="damaged"), kept_open(path, DEFAULT_ACCESS) as first:
        raise ValueError("damaged")
    with kept_open(path, DEFAULT_ACCESS) as second:
        assert second is not first


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="looks for open files in /proc")
def test_one_file_is_open_at_most(path: str, tmp_path: Path) -> None:
    path = os.path.realpath(path)
    other = os.path.realpath(write(tmp_path / "other.npy", 2.0))
    with kept_open(path, DEFAULT_ACCESS):
        pass
    assert is_open(path)
    with kept_open(other, DEFAULT_ACCESS):
        assert not is_open(path)
    let_go()
    assert not is_open(other)
