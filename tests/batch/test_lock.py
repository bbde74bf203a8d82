"""The lock of an output directory."""

import errno
import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gpool_cli.batch.lock import NAME, DirectoryLock
from gpool_cli.errors import OutputError

HERE = socket.gethostname()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that knows none."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", refuse)


def left_over(out: Path, pid: int, host: str = HERE, run: str = "00000000-") -> None:
    (out / NAME).write_text(json.dumps({"pid": pid, "host": host, "run": run}))


def dead_pid() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_it_is_there_while_it_is_held_and_says_whose_it_is(out):
    with DirectoryLock(str(out)) as lock:
        said = json.loads((out / NAME).read_text())
        assert said == {"pid": os.getpid(), "host": HERE, "run": lock.run}
    assert list(out.iterdir()) == []


def test_a_directory_that_it_made_goes_if_nothing_came_into_it(tmp_path):
    path = tmp_path / "a" / "b"
    with DirectoryLock(str(path)):
        assert path.is_dir()
    assert list(tmp_path.iterdir()) == []
    with DirectoryLock(str(path)):
        (path / "x").touch()
    assert [p.name for p in path.iterdir()] == ["x"]


def test_another_process_is_refused(out):
    with DirectoryLock(str(out)):
        code = f"from gpool_cli.batch.lock import DirectoryLock; DirectoryLock({str(out)!r})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert f"another gpool writes into {out}: process {os.getpid()} on {HERE}" in done.stderr
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_one_that_has_just_taken_it_is_named_too(out, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(fcntl, "lockf", refuse)
    monkeypatch.setattr(time, "sleep", lambda _: left_over(out, os.getpid()))
    (out / NAME).touch()
    with pytest.raises(OutputError, match=f"process {os.getpid()} on {HERE}") as caught:
        DirectoryLock(str(out))
    assert "rm" not in caught.value.hint


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"pid": "x"}', '{"pid": 1}'])
def test_a_left_over_that_says_nothing(out, text):
    (out / NAME).write_text(text)
    with DirectoryLock(str(out)) as lock:
        assert lock.run
    assert list(out.iterdir()) == []


def test_a_left_over_of_a_living_process_that_does_not_hold_it(out):
    left_over(out, os.getpid())
    with DirectoryLock(str(out)) as lock:
        assert lock.run == "00000000-"


def test_a_left_over_of_another_host_says_how_to_remove_it(out):
    left_over(out, 1, "elsewhere.example")
    with pytest.raises(OutputError) as caught:
        DirectoryLock(str(out))
    assert caught.value.message.endswith("out: process 1 on elsewhere.example")
    assert caught.value.hint.endswith(f"if it is dead: rm {out / NAME}")
    assert (out / NAME).exists()


@pytest.mark.usefixtures("no_locks")
class TestWithoutLocks:
    def test_a_living_process_is_refused(self, out):
        with DirectoryLock(str(out)), pytest.raises(OutputError, match=f"process {os.getpid()} on"):
            DirectoryLock(str(out))

    def test_a_dead_process_is_not(self, out):
        left_over(out, dead_pid())
        with DirectoryLock(str(out)):
            pass
        assert list(out.iterdir()) == []

    def test_nobody_knows_who(self, out):
        (out / NAME).touch()
        with pytest.raises(OutputError) as caught:
            DirectoryLock(str(out))
        assert caught.value.hint.endswith(f"if it is dead: rm {out / NAME}")


def test_a_lock_that_goes_while_it_is_looked_at_is_taken_anew(out, monkeypatch):
    left_over(out, dead_pid())
    lockf = fcntl.lockf
    inodes = []

    def lock_late(fd: int, how: int) -> None:
        inodes.append(os.fstat(fd).st_ino)
        if len(inodes) == 1:
            (out / NAME).rename(out / "gone")
        lockf(fd, how)

    monkeypatch.setattr(fcntl, "lockf", lock_late)
    with DirectoryLock(str(out)):
        assert inodes[1] == (out / NAME).stat().st_ino != inodes[0]


def test_no_room_for_the_lock(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match="can't write .*out: No space left on device"):
        DirectoryLock(str(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["lseek", "write", "ftruncate"])
@pytest.mark.parametrize("end", ["is killed", "fails"])
def test_a_run_that_ends_while_it_takes_over_leaves_the_name_of_what_is_half_written(
    out, step, end
):
    left_over(out, dead_pid(), host=HERE, run="0badcafe-")
    (out / NAME).write_text((out / NAME).read_text() + " " * 40 + "\n")  # longer than what comes
    (out / ".gpool-0badcafe-1.part").touch()
    code = (
        "import os; from gpool_cli.batch.lock import DirectoryLock\n"
        f"def stop(*_): os.kill(os.getpid(), 9) if {end == 'is killed'} else open('/no/such')\n"
        f"os.{step} = stop; DirectoryLock({str(out)!r})"
    )
    assert subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode
    assert (out / ".gpool-0badcafe-1.part").exists()
    with DirectoryLock(str(out)) as lock:
        assert lock.run == "0badcafe-"
    assert list(out.iterdir()) == []


def test_what_was_half_written_goes_and_that_of_others_stays(out):
    left_over(out, dead_pid(), run="0badcafe-")
    (out / "deep").mkdir()
    for name in ("deep/.gpool-0badcafe-1.part", ".gpool-1.part", ".gpool-0badcafe-1", "a.npy"):
        (out / name).touch()
    with DirectoryLock(str(out)):
        pass
    names = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    assert names == [".gpool-0badcafe-1", ".gpool-1.part", "a.npy"]


def test_the_way_to_a_new_directory_is_on_the_disk(tmp_path, monkeypatch):
    synced: list[str] = []
    monkeypatch.setattr("gpool_cli.batch.lock.sync_each", synced.extend)
    with DirectoryLock(str(tmp_path / "a/b")):
        assert synced == [str(tmp_path), str(tmp_path / "a")]
        synced.clear()
        (tmp_path / "a/b/output").touch()
    with DirectoryLock(str(tmp_path / "a/b")):
        assert synced == []
