"""The lock of an output directory: one run at a time.

The file beside the outputs says who has it. Where the file system knows locks, one on that file
goes with the process that holds it, however that ends: a file without a lock is left over.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import time
from dataclasses import dataclass
from typing import Any

from gpool_cli.errors import OutputError
from gpool_cli.formats.atomic import TEMPORARY, make_directory, output_errors
from gpool_cli.formats.durable import sync_each
from gpool_cli.printable import printable

NAME = ".gpool-lock"

# How often, and how many seconds apart, one looks who has just taken the lock.
_LOOKS = 20
_LOOK = 0.05

# What a file system answers that has no locks.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


@dataclass(frozen=True)
class _Owner:
    """Who has the lock.

    Attributes:
        pid: The process; 0 where it is not known.
        host: Its machine.
        run: What the temporary files of its run have in their names.
    """

    pid: int
    host: str
    run: str

    @property
    def is_here(self) -> bool:
        return self.host in ("", socket.gethostname())


class DirectoryLock:
    """Holds a directory for one run. A context manager; leaving it leaves no trace of the lock.

    Args:
        directory: It is made where it is missing, and removed again if nothing came into it.

    Attributes:
        run: What the names of this run's temporary files must have in them.

    Raises:
        OutputError: Another run holds it, or it can't be written to.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._path = os.path.join(directory, NAME)
        with output_errors(directory):
            made = [] if os.path.isdir(directory) else [*make_directory(directory), directory]
            self._made = made[1:]  # The first was there.
            sync_each(made[:-1])  # Outputs are on the disk when the way to them is.
            self._fd, left_over = self._acquire()
            # What was left over with the lock is of the same name, until it has been removed.
            self.run = left_over or f"{os.urandom(4).hex()}-"
            try:
                self._sign()
            except BaseException:
                if left_over:
                    os.close(self._fd)  # The next run must know what is still to be removed.
                else:
                    self._release()
                raise
        if left_over:
            self._sweep()

    def _acquire(self) -> tuple[int, str]:
        """Take the lock; its file, and the run that had it and did not give it back, or ''."""
        while True:
            fd, new = self._open()
            try:
                locked = _lock(fd)
                owner = _owner(fd)
                if locked is False:
                    self._refuse(_signed_owner(fd))
                if not self._is_still(fd):
                    os.close(fd)  # Its owner ended in between, and took it along.
                    continue
                if not new and (not owner.is_here or (locked is None and _lives(owner.pid))):
                    self._refuse(owner)
            except BaseException:
                os.close(fd)
                raise
            return fd, owner.run

    def _open(self) -> tuple[int, bool]:
        """The file of the lock, and whether it is new."""
        while True:
            with contextlib.suppress(FileExistsError):
                return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644), True
            with contextlib.suppress(FileNotFoundError):
                return os.open(self._path, os.O_RDWR), False

    def _is_still(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(fd))
        except FileNotFoundError:
            return False

    def _refuse(self, owner: _Owner) -> None:
        hint = "wait until it is done, or choose another -o"
        if not owner.pid or not owner.is_here:
            hint = f"{hint}; if it is dead: rm {printable(self._path)}"
        who = f": process {owner.pid} on {printable(owner.host)}" if owner.pid else ""
        raise OutputError(f"another gpool writes into {printable(self._directory)}{who}", hint)

    def _sign(self) -> None:
        """Write whose it is now over whose it was.

        Never is it empty in between, as it would be if it were cut first: a busy disk may take its
        time for each step, and a run that is killed there would leave files that nobody removes.
        """
        owner = {"pid": os.getpid(), "host": socket.gethostname(), "run": self.run}
        line = json.dumps(owner).encode() + b"\n"
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, line)
        os.ftruncate(self._fd, len(line))

    def _sweep(self) -> None:
        """Remove what a run left half written that died with the lock."""
        for directory, _, names in os.walk(self._directory):
            for name in names:
                if name.startswith(f"{TEMPORARY}{self.run}") and name.endswith(".part"):
                    with contextlib.suppress(OSError):
                        os.unlink(os.path.join(directory, name))

    def __enter__(self) -> DirectoryLock:
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def _release(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._path)
        os.close(self._fd)
        with contextlib.suppress(OSError):
            for directory in reversed(self._made):
                os.rmdir(directory)


def _lock(fd: int) -> bool | None:
    """Take the lock on a file: whether we have it, or None where there are no locks.

    It is the kind that a forked worker does not inherit: it would outlive us with that worker.
    """
    try:
        import fcntl
    except ImportError:
        return None
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


def _signed_owner(fd: int) -> _Owner:
    """Who has the lock: it may have taken it just now, and be about to write its name."""
    for _ in range(_LOOKS):
        if (owner := _owner(fd)).pid:
            break
        time.sleep(_LOOK)
    return owner


def _owner(fd: int) -> _Owner:
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        # The end of a longer line may follow, if it died while it wrote.
        said: dict[str, Any] = json.loads(os.read(fd, 4096).partition(b"\n")[0])
        return _Owner(int(said["pid"]), str(said["host"]), str(said["run"]))
    except (ValueError, KeyError, TypeError):
        return _Owner(0, "", "")  # It died before it had written its name.


def _lives(pid: int) -> bool:
    """Whether a process of this machine lives, as far as one may ask."""
    if os.name == "nt" or not pid:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
