"""A file stays open from one part to the next, as long as it is the same file."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.access import DEFAULT_ACCESS
from gpool_cli.batch.executors import Limits
from gpool_cli.batch.executors.processes import ProcessExecutor
from gpool_cli.batch.keptopen import kept_open, let_go, open_anew
from gpool_cli.batch.work import list_maps, pool_file
from gpool_cli.formats.interface import Reader
from gpool_cli.model import InputFile, Result, Task
from gpool_cli.recipe import PoolingSpec, Recipe

ONES = np.ones((2, 2, 3), np.float32)


@pytest.fixture(autouse=True)
def nothing_open() -> Iterator[None]:
    let_go()
    yield
    let_go()


@pytest.fixture(params=["npy", "h5"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return write(tmp_path / f"maps.{request.param}", ONES)


def write(path: Path, maps: np.ndarray, *, before: bool = False) -> str:
    if path.suffix == ".npy":
        np.save(path, maps)
    else:
        with h5py.File(path, "w") as file:
            if before:
                file["pad"] = np.full(999, 9.0)
            file["maps"] = maps
    return str(path)


def first_value(reader: Reader) -> float:
    info = next(iter(reader.arrays()))
    return float(next(reader.blocks(info))[1].flat[0])


def is_open(path: str, process: int | str = "self") -> bool:
    def names() -> Iterator[str]:
        for number in os.listdir(f"/proc/{process}/fd"):
            with contextlib.suppress(FileNotFoundError):  # That which lists them is one of them.
                yield os.readlink(f"/proc/{process}/fd/{number}")

    return path in names()


def read_a_part(path: str) -> int:
    """What a worker does; its number."""
    with kept_open(path, DEFAULT_ACCESS) as reader:
        assert first_value(reader) == 1
    return os.getpid()


def test_the_same_file_is_opened_once(path: str) -> None:
    with kept_open(path, DEFAULT_ACCESS) as first:
        assert first_value(first) == 1
    with kept_open(path, DEFAULT_ACCESS) as second:
        assert second is first


def test_a_file_that_was_replaced_is_read_as_it_is_now(path: str) -> None:
    with kept_open(path, DEFAULT_ACCESS) as reader:
        assert first_value(reader) == 1
    other = write(Path(path).with_name("other" + Path(path).suffix), 2 * ONES)
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


@pytest.mark.parametrize("look", ["open", "list", "pool"])
def test_nothing_that_was_known_of_a_file_is_left(path: str, look: str) -> None:
    read_a_part(path)
    other = Path(path).with_name("other" + Path(path).suffix)
    write(other, np.full((5, 4, 3), 2.0, np.float32), before=True)
    shutil.copyfile(other, path)  # Into the same file: a new one has nothing in common.
    task = Task(InputFile(path, path), Recipe((PoolingSpec("avg"),)))
    if look == "open":
        with open_anew(path, DEFAULT_ACCESS) as reader:
            assert first_value(reader) == 2
    elif look == "list":
        assert list_maps(task).maps[0][0].shape == (5, 4, 3)
    else:
        results = [one for one in pool_file(task) if isinstance(one, Result)]
        np.testing.assert_array_equal(results[0].values.ravel(), [2, 2, 2])


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
    other = os.path.realpath(write(tmp_path / "other.npy", 2 * ONES))
    with kept_open(path, DEFAULT_ACCESS):
        pass
    assert is_open(path)
    with kept_open(other, DEFAULT_ACCESS):
        assert not is_open(path)
    let_go()
    assert not is_open(other)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="looks for open files in /proc")
def test_a_worker_with_nothing_to_do_has_nothing_open(path: str) -> None:
    path = os.path.realpath(path)
    executor = ProcessExecutor(Limits(60))
    try:
        worker = executor.submit(read_a_part, path).result()
        ends = time.monotonic() + 30
        while is_open(path, worker) and time.monotonic() < ends:
            time.sleep(0.05)
        assert not is_open(path, worker)
        assert executor.submit(read_a_part, path).result() == worker
    finally:
        executor.shutdown()


def test_a_file_that_can_not_be_closed_is_no_matter_of_the_next(path: str) -> None:
    with kept_open(path, DEFAULT_ACCESS) as reader:
        before = first_value(reader)

    close = reader.close

    def fail() -> None:
        close()
        raise OSError("can't be closed")

    reader.close = fail
    with kept_open(shutil.copy(path, f"{path}.copy"), DEFAULT_ACCESS) as other:
        assert first_value(other) == before
