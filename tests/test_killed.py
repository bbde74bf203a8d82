"""Runs that are killed, starved or met by others, with real processes."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

GPOOL = [sys.executable, "-m", "gpool_cli"]
SEED = 20240229


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_many(count: int) -> None:
    os.mkdir("many")
    for i in range(count):
        np.save(f"many/{i:04}.npy", np.full((4, 5, 3), i, "float32"))


def start(*words: str, **more) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*GPOOL, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Started in the background of a shell, we may have been told to ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
        **more,
    )


def run(*words: str) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run([*GPOOL, *words], capture_output=True, timeout=120)
    assert b"Traceback" not in done.stderr
    return done


def wait_for(what: Callable[[], object]) -> None:
    for _ in range(3000):
        if what():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def bytes_in(root: str) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in Path(root).rglob("*") if p.is_file()}


def resumed(words: tuple[str, ...]) -> None:
    """Resume, and hold it to this: what is on record, whole and in its place is left alone."""
    lines = Path("out/.gpool-journal")
    entries = lines.read_bytes().split(b"\n")[1:-1] if lines.exists() else []
    places = [output["path"] for entry in entries for output in json.loads(entry)["outputs"]]
    before = {place: Path("out", place).stat() for place in places}
    done = run(*words, "--resume")
    assert done.returncode == 0, done.stderr
    for place, status in before.items():
        now = Path("out", place).stat()
        assert (now.st_ino, now.st_mtime_ns) == (status.st_ino, status.st_mtime_ns)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_batch_killed_at_any_moment_is_resumed_to_the_same_bytes(here, jobs):
    print("seed", SEED)
    moments = random.Random(SEED + int(jobs))
    make_many(300)
    words = ("pool", "-m", "avg", "-m", "max", "many", "-o", "out", "-q", "--jobs", jobs)
    started = time.monotonic()
    assert run(*words).returncode == 0
    full = time.monotonic() - started
    whole = bytes_in("out")
    assert len(whole) == 601
    cut = 0
    for _ in range(60):
        shutil.rmtree("out")
        process = start(*words)
        time.sleep(moments.uniform(0.3, 1) * full)
        process.kill()
        process.communicate(timeout=30)
        for name, data in bytes_in("out").items() if os.path.isdir("out") else ():
            if not name.startswith(".gpool-"):
                assert data == whole[name]
        if moments.random() < 0.3:
            # The run that resumes may be killed too.
            process = start(*words, "--resume")
            time.sleep(moments.uniform(0.3, 1) * full)
            process.kill()
            process.communicate(timeout=30)
        cut += os.path.isdir("out") and ".gpool-manifest" not in os.listdir("out")
        resumed(words)
        assert bytes_in("out") == whole
    assert cut > 12  # the moments were not all too early or too late


def test_a_killed_batch_is_resumed(here):
    make_many(600)
    words = ("max", "many", "-o", "out", "-q")
    process = start(*words)
    wait_for(lambda: len(list(Path("out").glob("*.npy"))) > 200)
    process.kill()
    process.communicate(timeout=30)
    resumed(words)
    assert run("max", "many", "-o", "whole", "-q").returncode == 0
    assert bytes_in("out") == bytes_in("whole")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_batch_is_resumed_and_its_report_is_written(here, number, code):
    make_many(600)
    words = ("max", "many", "-o", "out", "-q")
    process = start(*words, "--report", "r.json")
    wait_for(lambda: len(list(Path("out").glob("*.npy"))) > 200)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said.endswith(b"(go on with --resume)\n")) == (code, True)
    assert list(Path("out").glob("*.part")) == []
    assert json.loads(Path("r.json").read_text())["exit_code"] == code
    resumed(words)
    assert run("max", "many", "-o", "whole", "-q").returncode == 0
    assert bytes_in("out") == bytes_in("whole")


def test_two_runs_into_one_directory(here):
    make_many(3)
    first = start("max", "many", "-", "-o", "out", stdin=subprocess.PIPE)
    wait_for(lambda: Path("out/.gpool-journal").exists())
    for more in ([], ["--overwrite"], ["--resume"]):
        second = run("max", "many", "-o", "out", *more)
        assert second.returncode == 3
        assert second.stderr.decode() == (
            f"gpool: error: another gpool writes into out: process {first.pid} on "
            f"{os.uname().nodename} (wait until it is done, or choose another -o)\n"
        )
    first.communicate(Path("many/0000.npy").read_bytes(), timeout=30)
    assert first.returncode == 0
    assert sorted(os.listdir("out")) == [".gpool-manifest", "many", "stdin.npy"]
    assert run("max", "many", "-o", "out", "--overwrite").returncode == 0


def test_a_run_that_dies_lets_go_of_the_directory_though_its_workers_live(here):
    make_many(3)
    code = (
        "import os, sys; from gpool_cli.batch.lock import DirectoryLock; DirectoryLock('out');"
        "child = os.fork(); print(child or '', end='', flush=True); "
        "os.kill(os.getpid(), 9) if child else sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.wait(timeout=30) == -signal.SIGKILL
    assert Path("out/.gpool-lock").exists()
    assert run("max", "many", "-o", "out").returncode == 0
    assert not Path("out/.gpool-lock").exists()
    holder.communicate(timeout=30)


@pytest.mark.parametrize("blocks", [1, 8])
def test_a_full_disk_leaves_whole_files_and_can_be_resumed(here, blocks):
    make_many(3)
    np.save("many/0001.npy", np.ones((2, 2, 4000), "float32"))
    words = ("max", "many", "-o", "out", "-q")
    # What Python compiles would be cut short as well, and found so by the runs after this one.
    limited = (
        f"export PYTHONDONTWRITEBYTECODE=1; ulimit -f {blocks}; trap '' XFSZ; "
        f"exec {' '.join([*GPOOL, *words])}"
    )
    done = subprocess.run(["bash", "-c", limited], capture_output=True, timeout=60)
    assert done.returncode == 3
    assert done.stderr.startswith(b"gpool: error: can't write out/")
    assert b"File too large" in done.stderr
    assert list(Path("out").glob("*.part")) == []
    for path in Path("out").glob("*.npy"):
        np.load(path)
    resumed(words)
    assert run("max", "many", "-o", "whole", "-q").returncode == 0
    assert bytes_in("out") == bytes_in("whole")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_directory(here):
    make_many(1)
    os.mkdir("out", 0o500)
    done = run("max", "many", "-o", "out")
    assert done.returncode == 3
    assert done.stderr.startswith(b"gpool: error: can't write out: Permission denied")
