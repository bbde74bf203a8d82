"""Outputs that wait: nothing has its name before it is on the disk, and nothing waits for ever."""

import errno
import os
from pathlib import Path

import pytest

from gpool_cli.batch import waiting as module
from gpool_cli.batch.journal import Journal
from gpool_cli.batch.manifest import Previous, read_previous
from gpool_cli.batch.waiting import Waiting
from gpool_cli.errors import OutputError
from gpool_cli.formats.atomic import AtomicFile, Written
from gpool_cli.formats.durable import Disk
from gpool_cli.model import InputFile


@pytest.fixture
def journal(tmp_path: Path):
    journal = Journal(str(tmp_path), "run-", {"gpool": "0"}, Previous())
    yield journal
    journal.close()


@pytest.fixture
def waiting(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST_SECONDS", 1e9)
    waiting = Waiting(str(tmp_path), journal)
    yield waiting
    waiting.close()


def write(tmp_path: Path, name: str, size: int = 1) -> list[Written]:
    file = AtomicFile(str(tmp_path / name), "run-")
    file.file.write(bytes(size))
    return [file.complete(checksum=True)]


def add(waiting: Waiting, tmp_path: Path, name: str, size: int = 1) -> None:
    waiting.add(InputFile(f"in/{name}", name), write(tmp_path, name, size))


def names_in(tmp_path: Path) -> list[str]:
    return sorted(name for name in os.listdir(tmp_path) if not name.startswith(".gpool-journal"))


def recorded(tmp_path: Path) -> list[str]:
    return [name for _, name in read_previous(str(tmp_path)).entries]


def test_outputs_wait_under_hidden_names_until_they_are_on_the_disk(tmp_path, waiting, monkeypatch):
    seen: list[list[str]] = []

    def sync(self: Disk, paths: list[str]) -> None:
        seen.append([Path(path).name for path in paths])
        assert (tmp_path / "a").exists() == (len(seen) == 2)

    monkeypatch.setattr(Disk, "sync", sync)
    for name in "ab":
        add(waiting, tmp_path, name)
    assert all(name.endswith(".part") for name in names_in(tmp_path))
    waiting.settle()
    assert names_in(tmp_path) == recorded(tmp_path) == ["a", "b"]
    assert waiting.bytes_out == 2
    assert [name.endswith(".part") for name in seen[0]] == [True, True]
    assert seen[1] == [tmp_path.name, ".gpool-journal"]


def test_so_many_files_are_enough(tmp_path, waiting, monkeypatch):
    monkeypatch.setattr(module, "_MOST_FILES", 3)
    for name in "abcd":
        add(waiting, tmp_path, name)
    assert recorded(tmp_path) == ["a", "b", "c"]
    assert (tmp_path / "d").exists() is False


def test_so_many_bytes_are_enough(tmp_path, waiting, monkeypatch):
    monkeypatch.setattr(module, "_MOST_BYTES", 10)
    add(waiting, tmp_path, "a", 6)
    assert recorded(tmp_path) == []
    add(waiting, tmp_path, "b", 6)
    assert recorded(tmp_path) == ["a", "b"]


def test_so_long_is_enough(tmp_path, waiting, monkeypatch):
    add(waiting, tmp_path, "a")
    waiting.settle_if_due()
    assert recorded(tmp_path) == []
    monkeypatch.setattr(module, "_MOST_SECONDS", 0)
    waiting.settle_if_due()
    assert recorded(tmp_path) == ["a"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_what_can_not_be_brought_to_the_disk_is_gone(tmp_path, waiting, monkeypatch, number):
    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    add(waiting, tmp_path, "a")
    with pytest.raises(OutputError, match=f"can't write .*a: {os.strerror(number)}"):
        waiting.settle()
    assert (names_in(tmp_path), recorded(tmp_path)) == ([], [])
    waiting.settle()  # Nothing is left to fail again.


def test_what_has_its_name_is_recorded_though_the_next_can_not_have_it(tmp_path, waiting):
    for name in "abc":
        add(waiting, tmp_path, name)
    (tmp_path / "b").mkdir()
    with pytest.raises(OutputError, match="can't write .*b: Is a directory"):
        waiting.settle()
    assert (names_in(tmp_path), recorded(tmp_path)) == (["a", "b"], ["a"])
