"""Making sure that what was written is on the disk, for many files at the price of one."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from collections.abc import Callable, Sequence

# Below this each file is flushed by itself: a whole file system may hold much that is not ours.
_FEW = 8

# Where syncfs(2) is known to bring everything to the disk and to say so when it can't. On others,
# such as those that are served by a program or over a network, it may do neither.
_SOUND = {"ext2", "ext3", "ext4", "xfs", "f2fs", "tmpfs"}
_SAYS_ERRORS_SINCE = (5, 8)  # of Linux


class Disk:
    """The file system of a directory.

    It is opened before anything is written, because a file system tells of an error only those
    who had it open.

    Args:
        directory: It exists.
    """

    def __init__(self, directory: str) -> None:
        self._device = os.stat(directory).st_dev
        self._syncfs = _syncfs_of(self._device)
        self._fd = os.open(directory, os.O_RDONLY) if self._syncfs is not None else -1

    def sync(self, paths: Sequence[str]) -> None:
        """Return when files and directories are on the disk.

        Raises:
            OSError: One is not; ``filename`` says which.
        """
        if self._syncfs is None or len(paths) < _FEW:
            sync_each(paths)
            return
        try:
            self._syncfs(self._fd)
        except OSError:
            sync_each(paths)  # Was it one of ours?
        else:
            sync_each([path for path in paths if os.lstat(path).st_dev != self._device])

    def close(self) -> None:
        """Let go of the file system."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def sync_each(paths: Sequence[str]) -> None:
    """Return when files and directories are on the disk, each flushed by itself.

    Raises:
        OSError: One is not; ``filename`` says which.
    """
    if len(paths) > 1:
        for path in paths:
            _with_open(path, begin_writing)
    for path in paths:
        _with_open(path, _flush)


def begin_writing(fd: int) -> None:
    """Have the disk begin: the flush that follows then finds most of the work done."""
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def _with_open(path: str, act: Callable[[int], None]) -> None:
    if os.name == "nt" and os.path.isdir(path):
        return  # There a directory can't be opened.
    fd = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        act(fd)
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(fd)


def _flush(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        # So some file systems say that a directory has nothing to flush.
        if error.errno != errno.EINVAL:
            raise


def _syncfs_of(device: int) -> Callable[[int], None] | None:
    """The system call that flushes this file system, where it can be relied on."""
    if sys.platform != "linux" or _linux() < _SAYS_ERRORS_SINCE or _type_of(device) not in _SOUND:
        return None
    import ctypes

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return None

    def call(fd: int) -> None:
        if syncfs(fd) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    return call


def _linux() -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))


def _type_of(device: int) -> str:
    """The type of a file system, as the list of mounts has it; '' where it is not there."""
    number = f"{os.major(device)}:{os.minor(device)}"
    with contextlib.suppress(OSError), open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        for line in mounts:
            mount, _, source = line.partition(" - ")
            if mount.split()[2] == number:
                return source.split()[0]
    return ""
