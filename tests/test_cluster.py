"""A Dask cluster of two worker processes: the same bytes, and what dies there costs a retry."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE

import h5py
import numpy as np
import pytest

from tests.signals import by_default

pytest.importorskip("distributed", reason="--scheduler needs the extra dask")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.isdir("/proc"), reason="finds workers in /proc"),
]

GPOOL = [sys.executable, "-m", "gpool_cli"]
DASK = [sys.executable, "-m", "dask"]

# A worker that dies of a file; it is the cluster's own one that dies, not the one beside it.
DEADLY = """
import os, time
from gpool_cli.batch.executors.station import _Station
def ask_or_die(self, work, ask=_Station.ask):
    if b"deadly" in work:
        time.sleep(1)  # A nanny that has just begun does not bear the death of its worker.
        os.kill(os.getpid(), 9)
    return ask(self, work)
_Station.ask = ask_or_die
"""
# A worker that takes its time, so that a run is still under way when something happens to it.
SLOW = """
import time
from gpool_cli.batch.executors.station import _Station
def ask_later(self, work, ask=_Station.ask):
    time.sleep(0.4)
    return ask(self, work)
_Station.ask = ask_later
"""
OTHER_VERSION = "import gpool_cli; gpool_cli.__version__ = '0.0.1'"
NO_GPOOL = "import sys; sys.modules['gpool_cli'] = None"

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts parts of a cluster, which end with the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DASK_DISTRIBUTED__DASHBOARD__LINK", "")
    running = []

    def call(*words: str, preload: str = "") -> subprocess.Popen[bytes]:
        if preload:
            Path("preload.py").write_text(preload)
            words += ("--preload", str(tmp_path / "preload.py"))
        log = (tmp_path / f"{len(running)}.log").open("wb")
        end = subprocess.Popen(
            [*DASK, *words, "--no-dashboard"],
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
        log.close()
        running.append(end)
        return end

    yield call
    for process in reversed(running):
        process.terminate()
    for process in running:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


@pytest.fixture
def scheduler(start: Start, tmp_path: Path) -> str:
    """A scheduler on loopback: the file that says where."""
    path = tmp_path / "scheduler.json"
    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(path))
    until(path.exists)
    return str(path)


def until(wanted: Callable[[], object]) -> None:
    """Wait for something that comes sooner or later."""
    end = time.monotonic() + 60
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.05)


def start_workers(start: Start, scheduler: str, *words: str, preload: str = "") -> None:
    workers = ("worker", "--scheduler-file", scheduler, "--nworkers", "2", "--nthreads", "1")
    wait_for(start(*workers, *words, preload=preload), 2)


def wait_for(cluster: subprocess.Popen[bytes], workers: int) -> None:
    """Wait until workers have said that the scheduler knows them."""
    log = Path(f"/proc/{cluster.pid}/fd/2")
    until(lambda: log.read_bytes().count(b"Registered to") >= workers)


def gpool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GPOOL, *words], capture_output=True, text=True, timeout=120)


def children_of(pid: int) -> list[int]:
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        each = (Path(f"/proc/{pid}/task/{task}/children").read_text() for task in tasks)
        return [int(child) for text in each for child in text.split()]
    except OSError:
        return []


def processes_of(cluster: subprocess.Popen[bytes]) -> list[tuple[int, str]]:
    """All processes below a part of a cluster, with their command lines."""
    found, rest = [], [cluster.pid]
    while rest:
        pid = rest.pop()
        rest += children_of(pid)
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        found.append((pid, command))
    return found


def save_maps(count: int, rows: int = 1) -> None:
    os.mkdir("maps")
    rng = np.random.default_rng(3)
    for i in range(count):
        values = rng.normal(size=(rows, 7, 7, 64)).astype("f4")
        if i % 2:
            np.save(f"maps/{i:03}.npy", values)
            continue
        with h5py.File(f"maps/{i:03}.h5", "w") as file:
            options = {"chunks": (1, 7, 7, 64), "compression": "gzip", "shuffle": True}
            file.create_dataset("m", data=values, **options)


def same_files(one: str, other: str) -> bool:
    names = sorted(os.listdir(one))
    return names == sorted(os.listdir(other)) and all(
        Path(one, name).read_bytes() == Path(other, name).read_bytes() for name in names
    )


def test_a_cluster_writes_the_same_bytes_and_says_the_same(start: Start, scheduler: str) -> None:
    start_workers(start, scheduler)
    save_maps(12, 40)
    np.save("maps/large.npy", np.random.default_rng(1).normal(size=(900, 7, 7, 128)).astype("f4"))
    Path("maps/bad.npy").write_bytes(Path("maps/001.npy").read_bytes()[:5000])
    for output in ("out", "out.npy", "out.h5", "out.csv"):
        near, far = Path(f"near/{output}"), Path(f"far/{output}")
        near.parent.mkdir(exist_ok=True)
        far.parent.mkdir(exist_ok=True)
        options = ("pool", "-m", "avg", "-m", "max", "maps")
        if output == "out.npy":
            options = ("avg", "maps", "--key", "m")
        if output == "out.npy" or output == "out.csv":
            os.path.exists("maps/large.npy") and os.unlink("maps/large.npy")
        alone = gpool(*options, "-o", str(near), "--jobs", "2")
        spread = gpool(*options, "-o", str(far), "--scheduler", scheduler)
        assert (alone.returncode, spread.returncode) == (1, 1), spread.stderr
        assert spread.stderr == alone.stderr
        assert "maps/bad.npy: is truncated" in spread.stderr
        assert spread.stdout.replace("far/", "near/") == alone.stdout
        if output == "out":
            assert same_files(str(near), str(far))
    assert same_files_below("near", "far")


def same_files_below(one: str, other: str) -> bool:
    files = [name for name in sorted(os.listdir(one)) if os.path.isfile(f"{one}/{name}")]
    assert len(files) >= 4
    return all(Path(one, f).read_bytes() == Path(other, f).read_bytes() for f in files)


def begin(scheduler: str) -> subprocess.Popen[str]:
    """Start a run on the cluster."""
    words = ("avg", "maps", "-o", "out", "--scheduler", scheduler)
    return subprocess.Popen(
        [*GPOOL, *words], stdout=PIPE, stderr=PIPE, text=True, preexec_fn=by_default
    )


def under_way(scheduler: str) -> subprocess.Popen[str]:
    """Start a run on the cluster, and wait until there are results."""
    run = begin(scheduler)
    until(lambda: os.path.isdir("out") and len(os.listdir("out")) > 4 or run.poll() is not None)
    return run


@contextlib.contextmanager
def waiting_for_workers(scheduler: str) -> Iterator[subprocess.Popen[str]]:
    """A run on a cluster that has no workers; it ends with the block."""
    with begin(scheduler) as run:
        try:
            assert run.stderr is not None
            assert "the cluster has no workers yet; waiting" in run.stderr.readline()
            yield run
        finally:
            run.kill()


def test_a_worker_that_is_killed_costs_nothing(start: Start, scheduler: str) -> None:
    options = ("worker", "--scheduler-file", scheduler, "--nthreads", "1", "--no-nanny")
    workers = [start(*options, preload=SLOW), start(*options, preload=SLOW)]
    for worker in workers:
        wait_for(worker, 1)
    save_maps(300, 60)
    assert gpool("avg", "maps", "-o", "near").returncode == 0
    run = under_way(scheduler)
    workers[0].kill()
    _, error = run.communicate(timeout=120)
    assert (run.returncode, error) == (0, "")
    assert same_files("near", "out")


def test_a_crash_below_a_worker_costs_one_file(start: Start, scheduler: str) -> None:
    options = ("worker", "--scheduler-file", scheduler, "--nthreads", "2", "--no-nanny")
    worker = start(*options, preload=SLOW)
    wait_for(worker, 1)
    save_maps(300, 60)
    assert gpool("avg", "maps", "-o", "near").returncode == 0
    run = under_way(scheduler)
    stations = [pid for pid, command in processes_of(worker) if "station" in command]
    # A station that was forked from another one is its worker.
    below = [pid for pid in stations if not children_of(pid)]
    os.kill(below[0], signal.SIGSEGV)
    _, error = run.communicate(timeout=120)
    assert worker.poll() is None
    failed = re.findall(r"^gpool: error: maps/(\w+\.\w+): (.*)$", error, re.MULTILINE)
    assert len(failed) <= 1
    assert run.returncode == len(failed)
    for name, reason in failed:
        assert "(SIGSEGV)" in reason
        os.unlink(f"near/{name}")
    os.unlink("near/.gpool-manifest")
    os.unlink("out/.gpool-manifest")
    assert same_files("near", "out")


def test_a_file_that_kills_workers_is_named(start: Start, scheduler: str) -> None:
    start_workers(start, scheduler, preload=DEADLY)
    save_maps(10)
    os.rename("maps/004.h5", "maps/deadly.h5")
    ran = gpool("avg", "maps", "-o", "out", "--scheduler", scheduler)
    assert ran.returncode == 1
    assert re.fullmatch(
        r"gpool: error: maps/deadly\.h5: was not read to its end: "
        r"4 workers of the cluster died that had it "
        r"\(if memory ran out, .*\)\n",
        ran.stderr,
    )
    assert "9 maps of 10 files" in ran.stdout


def test_ctrl_c_leaves_the_cluster_as_it_was(start: Start, scheduler: str) -> None:
    start_workers(start, scheduler, preload=SLOW)
    save_maps(300, 60)
    run = under_way(scheduler)
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=30)
    assert run.returncode == 130
    assert error == "gpool: error: interrupted; what was finished is kept (go on with --resume)\n"
    again = gpool("avg", "maps", "-o", "out", "--scheduler", scheduler, "--resume")
    assert (again.returncode, again.stderr) == (0, "")
    assert "done before" in again.stdout
    assert gpool("avg", "maps", "-o", "near").returncode == 0
    assert same_files("near", "out")


def test_a_scheduler_that_dies_ends_the_run(start: Start, tmp_path: Path) -> None:
    path = str(tmp_path / "scheduler.json")
    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", path)
    until(lambda: os.path.exists(path))
    start_workers(start, path, preload=SLOW)
    save_maps(300, 60)
    run = under_way(path)
    scheduler.kill()
    _, error = run.communicate(timeout=90)
    assert run.returncode == 1
    said = r"gpool: error: the Dask scheduler at \S+ is gone \(start it; .*--resume\)\n"
    assert re.fullmatch(said, error)


@pytest.mark.parametrize(
    ("preload", "said"),
    [
        (OTHER_VERSION, r"the worker tcp://\S+ has gpool 0\.0\.1, and this is gpool \S+ \(.*\)"),
        (NO_GPOOL, r"the Dask worker tcp://\S+ has no gpool, or one without --scheduler \(.*\)"),
    ],
    ids=["other version", "none"],
)
def test_a_worker_with_another_gpool_is_refused(
    start: Start, scheduler: str, preload: str, said: str
) -> None:
    start_workers(start, scheduler, preload=preload)
    save_maps(2)
    ran = gpool("avg", "maps", "-o", "out", "--scheduler", scheduler)
    assert ran.returncode == 2
    assert re.fullmatch(rf"gpool: error: {said}\n", ran.stderr), ran.stderr
    assert not os.path.exists("out")


@pytest.mark.parametrize(
    ("preload", "said"),
    [
        (OTHER_VERSION, r"the worker \S+ has gpool 0\.0\.1, and this is gpool \S+ \(.*\)"),
        (NO_GPOOL, r"a Dask worker has no gpool, or one without --scheduler \(.*\)"),
    ],
    ids=["other version", "none"],
)
def test_a_worker_with_another_gpool_that_comes_late_ends_the_run(
    start: Start, scheduler: str, preload: str, said: str
) -> None:
    save_maps(2)
    with waiting_for_workers(scheduler) as run:
        start_workers(start, scheduler, preload=preload)
        _, error = run.communicate(timeout=60)
        assert run.returncode == 1
        assert re.fullmatch(rf"gpool: error: {said}\n", error)


def test_workers_that_come_late_are_waited_for(start: Start, scheduler: str) -> None:
    save_maps(4)
    with waiting_for_workers(scheduler) as run:
        start_workers(start, scheduler)
        run.communicate(timeout=60)
        assert run.returncode == 0


def test_a_hundred_thousand_files_take_little_memory_here(start: Start, scheduler: str) -> None:
    start_workers(start, scheduler)
    os.mkdir("maps")
    rng = np.random.default_rng(3)
    for i in range(100):
        np.save(f"maps/{i:05}.npy", rng.normal(size=(3, 3, 16)).astype("f4"))
    for i in range(100, 100_000):
        os.link(f"maps/{i % 100:05}.npy", f"maps/{i:05}.npy")
    run = subprocess.Popen(
        [*GPOOL, "avg", "maps", "-o", "far.npy", "--scheduler", scheduler, "--quiet"]
    )
    _, status, used = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    assert run.returncode == 0
    assert used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) < 400e6
    assert np.load("far.npy").shape == (100_000, 1, 1, 16)
