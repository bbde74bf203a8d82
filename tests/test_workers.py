"""Workers that die, hang or are killed: one file each, by name, and all the others are right."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

GPOOL = [sys.executable, "-m", "gpool_cli"]
SEED = 20260301

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc"), reason="finds workers in /proc")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_tree(count: int, shape: tuple[int, ...] = (30, 7, 7, 64)) -> dict[str, np.ndarray]:
    """Compressed files, and the mean of each."""
    os.mkdir("maps")
    rng = np.random.default_rng(1)
    means = {}
    for i in range(count):
        values = rng.normal(size=shape).astype("f4")
        with h5py.File(f"maps/{i:03}.h5", "w") as file:
            options = {"chunks": (1, *shape[1:]), "compression": "gzip", "shuffle": True}
            file.create_dataset("m", data=values, **options)
        means[f"{i:03}.h5"] = values.mean(axis=(1, 2), dtype="f8", keepdims=True).astype("f4")
    return means


def workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children")
                .read_text().split()]  # fmt: skip
    except OSError:
        return []


def start(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*GPOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def failures(said: str) -> dict[str, str]:
    """What was said of each file that failed."""
    found = re.findall(r"^gpool: error: maps/(\w+\.h5)(?::m)?: (.*)$", said, re.MULTILINE)
    assert len(found) == len(dict(found))
    return dict(found)


def check_outputs(means: dict[str, np.ndarray], failed: set[str]) -> None:
    for name, mean in means.items():
        if name in failed:
            assert not os.path.exists(f"out/{name}")
            continue
        with h5py.File(f"out/{name}") as file:
            np.testing.assert_array_equal(file["m"][()], mean)


def some_worker(process: subprocess.Popen[bytes]) -> Iterator[int]:
    """Workers of a run, as long as it lives."""
    chosen = random.Random(SEED)
    while process.poll() is None:
        time.sleep(chosen.uniform(0.02, 0.25))
        if pids := workers_of(process):
            yield chosen.choice(pids)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2", "3"])
def test_workers_that_are_killed_at_random_cost_a_file_each(here: Path, jobs: str) -> None:
    means = make_tree(250)
    with start("avg", "maps", "-o", "out", "--jobs", jobs) as process:
        kills = 0
        for number, pid in enumerate(some_worker(process)):
            try:
                os.kill(pid, signal.SIGSEGV if number % 2 else signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                continue
        _, error = process.communicate(timeout=60)
    said = error.decode()
    failed = failures(said)
    print(f"{kills} workers killed, {len(failed)} files failed; seed {SEED}")
    assert kills >= 3
    assert "Traceback" not in said
    assert len(failed) <= kills
    assert process.returncode == (1 if failed else 0)
    for reason in failed.values():
        assert "(SIGSEGV)" in reason or "(SIGKILL)" in reason
    check_outputs(means, set(failed))
    # What failed is tried again, and nothing else.
    again = subprocess.run(
        [*GPOOL, "avg", "maps", "-o", "out", "--resume"], capture_output=True, timeout=120
    )
    assert again.returncode == 0
    if failed:
        assert f"{len(means) - len(failed)} done before" in again.stdout.decode()
    check_outputs(means, set())


def test_a_worker_that_makes_no_progress_is_replaced(here: Path) -> None:
    means = make_tree(4, (300, 7, 7, 64))
    for i in range(4, 40):
        os.link(f"maps/{i % 4:03}.h5", f"maps/{i:03}.h5")
        means[f"{i:03}.h5"] = means[f"{i % 4:03}.h5"]
    with start("avg", "maps", "-o", "out", "--timeout", "1", "--jobs", "2") as process:
        for pid in some_worker(process):
            os.kill(pid, signal.SIGSTOP)
            break
        _, error = process.communicate(timeout=60)
    failed = failures(error.decode())
    assert process.returncode == 1
    assert len(failed) == 1
    assert "stopped the HDF5 library, which made no more progress" in next(iter(failed.values()))
    check_outputs(means, set(failed))


def test_a_crash_while_a_plan_is_made_costs_one_file(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gpool_cli.batch import plan
    from gpool_cli.cli.main import run

    make_tree(3, (2, 7, 7, 4))
    listed, parent = plan.open_reader, os.getpid()

    def crash(path: str, access: object) -> object:
        assert os.getpid() != parent
        if path.endswith("001.h5"):
            os.kill(os.getpid(), signal.SIGSEGV)
        return listed(path, access)  # type: ignore[arg-type]

    monkeypatch.setattr(plan, "open_reader", crash)
    assert run(["info", "maps"]) == 1
    said = capsys.readouterr()
    assert [line.split()[0] for line in said.out.splitlines() if "maps/" in line] == [
        "maps/000.h5:m",
        "maps/002.h5:m",
    ]
    assert "maps/001.h5: crashed the HDF5 library (SIGSEGV)" in said.err


def test_a_file_that_another_program_writes_is_locked(here: Path) -> None:
    script = "import h5py, sys; f = h5py.File('maps/000.h5', 'r+'); print(flush=True); input()"
    means = make_tree(2, (2, 7, 7, 4))
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        refused = subprocess.run(
            [*GPOOL, "avg", "maps", "-o", "out"], capture_output=True, timeout=60
        )
        assert refused.returncode == 1
        assert "maps/000.h5: is locked" in refused.stderr.decode()
        assert "--no-lock" in refused.stderr.decode()
        read = subprocess.run(
            [*GPOOL, "avg", "maps", "-o", "out", "--no-lock", "--resume"],
            capture_output=True,
            timeout=60,
        )
        assert read.returncode == 0, read.stderr
        writer.communicate(b"\n")
    check_outputs(means, set())
