"""Files on the disk: which calls are made, and that their errors are heard."""

import errno
import os
from pathlib import Path

import pytest

from gpool_cli.formats import durable
from gpool_cli.formats.durable import Disk, sync_each


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    for i in range(20):
        (tmp_path / f"{i:02}").write_bytes(bytes([i]))
    return [str(tmp_path / f"{i:02}") for i in range(20)]


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are flushed each by itself."""
    names: list[str] = []
    fsync = os.fsync

    def note(fd: int) -> None:
        names.append(os.readlink(f"/proc/self/fd/{fd}"))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", note)
    return names


class TestWholeFileSystem:
    @pytest.fixture
    def synced(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        calls: list[int] = []
        monkeypatch.setattr(durable, "_syncfs_of", lambda _: calls.append)
        return calls

    def test_many_files_are_one_flush(self, paths, tmp_path, synced, flushed):
        disk = Disk(str(tmp_path))
        disk.sync(paths)
        disk.close()
        assert (len(synced), flushed) == (1, [])

    def test_few_files_are_not(self, paths, tmp_path, synced, flushed):
        disk = Disk(str(tmp_path))
        disk.sync(paths[:3])
        disk.close()
        assert (synced, flushed) == ([], paths[:3])

    def test_files_on_another_disk_are_flushed_by_themselves(
        self, paths, tmp_path, synced, flushed, monkeypatch
    ):
        disk = Disk(str(tmp_path))
        monkeypatch.setattr(disk, "_device", -1)
        disk.sync(paths)
        disk.close()
        assert flushed == paths

    def test_an_error_is_looked_for_in_every_file(self, paths, tmp_path, monkeypatch, flushed):
        def broken(_: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(durable, "_syncfs_of", lambda _: broken)
        disk = Disk(str(tmp_path))
        disk.sync(paths)  # It was somebody else's.
        disk.close()
        assert flushed == paths


def test_the_system_call_is_made_where_it_is_sound(paths, tmp_path):
    call = durable._syncfs_of(os.stat(tmp_path).st_dev)
    if call is None:
        pytest.skip("not on this file system")
    fd = os.open(tmp_path, os.O_RDONLY)
    call(fd)
    os.close(fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        call(fd)


@pytest.mark.parametrize(
    ("linux", "kind", "used"),
    [((5, 8), "ext4", True), ((6, 1), "xfs", True), ((5, 7), "ext4", False), ((6, 1), "", False)],
)
def test_where_it_is_sound(monkeypatch, linux, kind, used):
    monkeypatch.setattr(durable.sys, "platform", "linux")
    monkeypatch.setattr(durable, "_linux", lambda: linux)
    monkeypatch.setattr(durable, "_type_of", lambda _: kind)
    assert (durable._syncfs_of(1) is not None) == used


def test_the_type_of_a_file_system():
    assert durable._type_of(os.stat("/proc").st_dev) == "proc"
    assert durable._type_of(os.makedev(4095, 1)) == ""


def test_each_names_the_file_that_failed(paths, monkeypatch):
    fsync = os.fsync

    def broken(fd: int) -> None:
        if os.readlink(f"/proc/self/fd/{fd}") == paths[3]:
            raise OSError(errno.EIO, "Input/output error")
        fsync(fd)

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output error") as caught:
        sync_each(paths)
    assert caught.value.filename == paths[3]


def test_a_directory_with_nothing_to_flush(tmp_path, monkeypatch):
    def refuse(_: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuse)
    sync_each([str(tmp_path)])
