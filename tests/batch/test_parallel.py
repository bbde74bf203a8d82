"""Any number of workers: the same bytes, the same order, and a worker that dies costs one file."""

import errno
import gc
import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from gpool_cli.batch import units
from gpool_cli.batch.executors import (
    TABLE,
    Limits,
    WorkerDied,
    answers,
    load_executor,
    processes,
)
from gpool_cli.batch.pipeline import Work, outcomes_of
from gpool_cli.batch.slots import Slots
from gpool_cli.batch.units import (
    Here,
    MapParts,
    Maps,
    Said,
    Step,
    WholeFiles,
    steps_of,
    steps_of_listing,
)
from gpool_cli.batch.work import list_maps
from gpool_cli.cli.main import run
from gpool_cli.formats import interface
from gpool_cli.model import Alike, Failed, FileDone, InputFile, Outcome, Part, Result, Task
from gpool_cli.recipe import PoolingSpec, Recipe

RECIPE = Recipe((PoolingSpec("avg"), PoolingSpec("max")), batched=True)


@pytest.fixture
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes at which a test's small files are dealt out as large ones are."""
    monkeypatch.setattr(interface, "PART_BYTES", 4096)
    monkeypatch.setattr(units, "_SMALL_FILE", 20_000)
    monkeypatch.setattr(units, "_TOGETHER_BYTES", 20_000)
    monkeypatch.setattr(units, "_TOGETHER_FILES", 3)


@pytest.fixture
def tree(tmp_path: Path, small_sizes: None) -> Path:
    """Small files, a large batch, a large map, an archive, groups, and a damaged file."""
    rng = np.random.default_rng(7)
    root = tmp_path / "maps"
    root.mkdir()
    for i in range(8):
        np.save(root / f"a{i}.npy", rng.normal(size=(5, 6, 8)).astype("f4"))
    np.save(root / "batch.npy", rng.normal(size=(60, 5, 6, 8)).astype("f4"))
    np.save(root / "fortran.npy", np.asfortranarray(rng.normal(size=(70, 60, 8))))
    np.save(root / "huge.npy", rng.normal(size=(90, 60, 8)) * 1e8)
    np.savez(root / "members.npz", **{f"m{i}": rng.normal(size=(9, 30, 8)) for i in range(5)})
    assert (root / "members.npz").stat().st_size > 20_000
    with h5py.File(root / "groups.h5", "w") as file:
        for i in range(30):
            file.create_dataset(f"g{i}/x", data=rng.normal(size=(4, 9, 8)), chunks=(3, 9, 8))
        file.create_dataset("large", data=rng.normal(size=(50, 40, 8)), chunks=(8, 16, 8))
        file["note"] = "skipped"
    (root / "zz.npy").write_bytes((root / "batch.npy").read_bytes()[:30_000])
    return root


def tasks_of(root: Path) -> list[Task]:
    return [Task(InputFile(str(p), p.name, False), RECIPE) for p in sorted(root.iterdir())]


def slots_of(count: int, kind: str = "processes") -> Slots:
    return Slots(partial(load_executor(kind), Limits()), count)


def outcomes_here(root: Path) -> list[Outcome]:
    return one_after_the_other(outcomes_of(tasks_of(root), Work(), lambda share: None))


def outcomes_of_workers(root: Path, kind: str, count: int, bundle: int = 1) -> list[Outcome]:
    with slots_of(count, kind) as slots:
        work = Work(slots.answers, slots.look, count, bundle)
        outcomes = outcomes_of(tasks_of(root), work, lambda share: None)
        return one_after_the_other(outcomes)


def one_after_the_other(outcomes: Iterable[Outcome | Alike]) -> list[Outcome]:
    together = (o.outcomes() if isinstance(o, Alike) else (o,) for o in outcomes)
    return [outcome for each in together for outcome in each]


def told(outcome: Outcome) -> tuple[object, ...]:
    words: tuple[object, ...] = (type(outcome).__name__, outcome.file.name)
    if isinstance(outcome, Result):
        words += (outcome.info.dataset, outcome.pooling.name, outcome.start, outcome.rows)
        words += (outcome.values.dtype.str, outcome.values.shape, outcome.values.tobytes())
    return words


@pytest.mark.parametrize(
    "kind", [kind for kind in TABLE if kind != "dask"]
)  # tests/test_cluster.py
@pytest.mark.parametrize("count", [1, 2, 3])
def test_any_number_of_workers_gives_the_same_outcomes_in_the_same_order(
    tree: Path, kind: str, count: int
) -> None:
    alone = [told(outcome) for outcome in outcomes_here(tree)]
    assert [told(outcome) for outcome in outcomes_of_workers(tree, kind, count)] == alone
    assert sum(words[0] == "FileDone" for words in alone) == len(list(tree.iterdir()))
    assert [words[1] for words in alone if words[0] == "Failed"] == ["zz.npy"]


@pytest.mark.parametrize("bundle", [3, 100])
def test_units_of_any_size_give_the_same_outcomes_in_the_same_order(
    tree: Path, bundle: int
) -> None:
    larger = outcomes_of_workers(tree, "processes", 2, bundle)
    assert [told(outcome) for outcome in larger] == [told(one) for one in outcomes_here(tree)]


def test_a_part_that_fails_ends_its_map_wherever_the_units_are_cut(
    tmp_path: Path, small_sizes: None
) -> None:
    values = np.ones((60, 5, 6, 8), "f4")
    values[33, 2, 2, 2] = np.nan
    np.save(tmp_path / "batch.npy", values)
    recipe = Recipe((PoolingSpec("avg"),), batched=True, nan="error")
    task = Task(InputFile(str(tmp_path / "batch.npy"), "batch.npy"), recipe)

    def outcomes(bundle: int) -> list[Outcome | Alike]:
        return list(outcomes_of([task], Work(bundle=bundle), lambda share: None))

    alone, together = outcomes(1), outcomes(5)
    assert [type(one).__name__ for one in alone[-2:]] == ["Failed", "FileDone"]
    assert sum(isinstance(one, Result) for one in alone) > 5
    assert [told(one) for one in together] == [told(one) for one in alone]


@pytest.mark.parametrize("output", ["out.npy", "out.h5", "out.npz", "out.csv", "out.jsonl", "out/"])
def test_any_number_of_jobs_writes_the_same_bytes(
    tree: Path, tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpool_cli.batch.jobs._WORTH_BYTES", 1)
    written = []
    for jobs in ("1", "3"):
        place = tmp_path / f"jobs{jobs}"
        place.mkdir()
        target = f"{place}/{output}"
        assert run(["pool", "-m", "avg", "-m", "max", str(tree), "-o", target, "-j", jobs]) == 1
        files = sorted(path for path in place.rglob("*") if path.is_file())
        written.append([(str(path.relative_to(place)), path.read_bytes()) for path in files])
    assert written[0]
    assert written[1] == written[0]


def test_work_is_dealt_out_as_its_size_says(tree: Path) -> None:
    steps = list(steps_of([*tasks_of(tree), Task(InputFile("-", "stdin.npy"), RECIPE)]))
    together = [step for step in steps if isinstance(step, WholeFiles)]
    assert [len(step.tasks) for step in together[:3]] == [3, 3, 2]
    parts = {step.task.file.name for step in steps if isinstance(step, MapParts)}
    assert parts == {"batch.npy", "fortran.npy", "huge.npy", "groups.h5"}
    maps = [step for step in steps if isinstance(step, Maps)]
    assert {step.task.file.name for step in maps} == {"groups.h5", "members.npz"}
    assert shares_of(steps) == pytest.approx(5)
    assert isinstance(steps[-1], Here)
    assert any(isinstance(step, Said) for step in steps)


def test_maps_that_were_handed_out_are_not_kept(tree: Path) -> None:
    task = Task(InputFile(str(tree / "groups.h5"), "groups.h5"), RECIPE)
    listing = list_maps(task)
    count = len(listing.maps)
    handed_out = [step for step in steps_of_listing(task, listing) if isinstance(step, Maps)]
    assert sum(len(step.maps) for step in handed_out) == count - 1  # One goes in parts.
    assert listing.maps == []


def test_a_bundle_has_more_of_the_same(tree: Path) -> None:
    usual, larger = list(steps_of(tasks_of(tree))), list(steps_of(tasks_of(tree), bundle=4))
    assert max(len(step.parts) for step in usual if isinstance(step, MapParts)) == 1
    assert max(len(step.parts) for step in larger if isinstance(step, MapParts)) == 4
    assert parts_of(larger) == parts_of(usual)
    assert shares_of(larger) == pytest.approx(5)
    assert sum(isinstance(s, Maps) for s in larger) < sum(isinstance(s, Maps) for s in usual)


def test_parts_with_long_states_do_not_travel_together(tmp_path: Path, small_sizes: None) -> None:
    np.save(tmp_path / "wide.npy", np.ones((60, 4, 900), "f4"))
    task = Task(InputFile(str(tmp_path / "wide.npy"), "wide.npy"), RECIPE)
    parts = [step for step in steps_of([task], bundle=4) if isinstance(step, MapParts)]
    assert parts[0].memory > 2 * 20_000
    assert all(len(step.parts) == 1 for step in parts)


def test_parts_with_long_results_do_not_travel_together(tmp_path: Path, small_sizes: None) -> None:
    np.save(tmp_path / "flat.npy", np.ones((600, 1, 1, 256), "u1"))
    task = Task(InputFile(str(tmp_path / "flat.npy"), "flat.npy"), RECIPE)
    parts = [step for step in steps_of([task], bundle=4) if isinstance(step, MapParts)]
    assert max(len(step.parts) for step in parts) < 4


@pytest.mark.parametrize("guilty", ["a3.npy", "batch.npy"])
def test_an_answer_without_room_costs_its_file_and_nothing_else(
    tree: Path, guilty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_room(end: Connection, answer: tuple[bool, object]) -> None:
        said = answer[1] if isinstance(answer[1], list) else []
        pieces = guilty == "batch.npy" and any(getattr(one, "start", 0) for one in said)
        if pieces or any(f"{guilty}'" in repr(one) for one in said):
            raise MemoryError
        sending(end, answer)

    sending = answers.send
    monkeypatch.setattr(answers, "send", without_room)
    outcomes = outcomes_of_workers(tree, "processes", 2)
    said = {one.message for one in outcomes if isinstance(one, Failed) and one.file.name == guilty}
    assert said == {"does not fit into memory"}
    assert results_but(guilty, outcomes) == results_but(guilty, outcomes_here(tree))


def results_but(guilty: str, outcomes: Iterable[Outcome]) -> list[tuple[object, ...]]:
    """The results of all files but this one."""
    results = (one for one in outcomes if isinstance(one, Result))
    return [told(one) for one in results if one.file.name != guilty]


def shares_of(steps: Iterable[Step]) -> float:
    return sum(step.share for step in steps if isinstance(step, (Maps, MapParts)))


def parts_of(steps: Iterable[Step]) -> list[tuple[str, str, Part]]:
    of_maps = [step for step in steps if isinstance(step, MapParts)]
    return [(s.task.file.name, s.info.dataset, part) for s in of_maps for part in s.parts]


def test_no_more_is_handed_out_than_workers_need(tree: Path) -> None:
    taken = 0

    def counted() -> Iterator[Task]:
        nonlocal taken
        for i in range(1000):
            taken += 1
            yield Task(InputFile(str(tree / f"a{i % 8}.npy"), f"{i}.npy"), RECIPE)

    with slots_of(2) as slots:
        outcomes = outcomes_of(counted(), Work(slots.answers, slots.look, 2), lambda share: None)
        next(outcomes)
        assert taken < 30


def test_a_slow_worker_leaves_the_work_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    others_done = threading.Semaphore(0)
    in_time = []

    def work(unit: WholeFiles) -> list[Outcome]:
        if unit.tasks[0].file.name == "0":
            in_time.append(all(others_done.acquire(timeout=5) for _ in range(6)))
        else:
            others_done.release()
        return []

    monkeypatch.setattr("gpool_cli.batch.slot.work_on", work)
    steps = [WholeFiles((Task(InputFile("", str(i)), RECIPE),), 1 << 30) for i in range(20)]
    with Slots(lambda: ThreadPoolExecutor(1), 2) as slots:
        assert [step for step, _ in slots.answers(steps)] == steps
    assert in_time == [True]


def test_what_was_answered_is_not_kept_while_the_last_is_waited_for() -> None:
    """The last may go on with the rest of a large file, which takes long."""
    steps = [WholeFiles((Task(InputFile("", str(i)), RECIPE),), 1 << 30) for i in range(6)]
    answers: list[weakref.ref[Outcome]] = []
    with Slots(lambda: ThreadPoolExecutor(1), 2) as slots:
        for step, answer in slots.answers(steps):
            assert isinstance(answer, list)
            answers.append(weakref.ref(answer[-1]))
            del answer
            if step is steps[-1]:
                gc.collect()
                assert [one() for one in answers[:-1]] == [None] * 5


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("victim", ["a4.npy", "huge.npy", "groups.h5"])
def test_a_worker_that_dies_costs_one_file(
    tree: Path, victim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = {told(o) for o in outcomes_here(tree) if o.file.name != victim}
    for opened in (
        "gpool_cli.batch.keptopen.open_reader",
        "gpool_cli.formats.npyalike._read_values",
    ):
        monkeypatch.setattr(opened, deadly(opened, victim, os.getpid()))
    said = outcomes_of_workers(tree, "processes", 2)
    assert {told(o) for o in said if o.file.name != victim} == healthy
    of_victim = [outcome for outcome in said if outcome.file.name == victim]
    failures = [outcome for outcome in of_victim if isinstance(outcome, Failed)]
    assert failures
    killed = "was not read to its end: its worker was killed (SIGKILL)"
    assert {failure.message for failure in failures} == {killed}
    assert isinstance(of_victim[-1], FileDone)


def deadly(opens: str, victim: str, parent: int) -> Callable[..., object]:
    """What opens files, but a worker that opens the victim dies of it."""
    module, _, name = opens.rpartition(".")
    opened = getattr(importlib.import_module(module), name)

    def opened_by_a_mortal(path: str, *more: object) -> object:
        if path.endswith(victim) and os.getpid() != parent:
            die()
        return opened(path, *more)

    return opened_by_a_mortal


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for processes in /proc")
def test_workers_end_with_the_process_that_they_work_for(tree: Path) -> None:
    script = (
        "import sys, time\n"
        "from gpool_cli.batch.executors import Limits\n"
        "from gpool_cli.batch.executors.processes import make\n"
        "workers = [make(Limits()) for _ in range(3)]\n"
        "print(*(w.submit(__import__('os').getpid).result() for w in workers), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        workers = parent.stdout.readline().split()
        assert len(workers) == 3
        assert all(os.path.exists(f"/proc/{pid}") for pid in workers)
        parent.kill()
    for _ in range(100):
        if not any(alive(pid) for pid in workers):
            return
        time.sleep(0.1)
    pytest.fail("a worker outlived the process that it works for")


def alive(pid: str) -> bool:
    """Whether a process runs; one that nobody waits for is dead all the same."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize(("end", "stalled"), [("SIGKILL", False), ("SIGSTOP", True)])
@pytest.mark.parametrize(("kind", "part"), [(bytes, 1), (np.zeros, 2)], ids=["head", "beside"])
def test_a_worker_that_ends_or_stops_in_the_middle_of_an_answer_is_noticed(
    kind: Callable[[int], object],
    part: int,
    end: str,
    stalled: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = load_executor("processes")(Limits(timeout=0.2))
    read = answers._read
    begun = []

    def read_late(*args: Any) -> object:
        begun.append(args)
        if len(begun) == part + 1:
            time.sleep(0.5)  # Meanwhile the pipe is filled.
            os.kill(worker._process.pid, getattr(signal, end))
        return read(*args)

    monkeypatch.setattr(answers, "_read", read_late)
    future = worker.submit(kind, 10_000_000)
    with pytest.raises(WorkerDied) as died:
        future.result(timeout=20)
    worker.shutdown()
    assert died.value.stalled == stalled
    assert begun[part][1] > 9_000_000


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_a_worker_with_nothing_to_do_that_does_not_end_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "_LEAVING", 0.2)
    worker = processes.ProcessExecutor(Limits())
    pid = worker.submit(os.getpid).result(20)
    os.kill(pid, signal.SIGSTOP)
    ended = threading.Thread(target=worker.shutdown, daemon=True)
    ended.start()
    ended.join(20)
    assert not ended.is_alive()
    assert not alive(str(pid))


def test_a_worker_that_is_to_end_does_all_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_LEAVING", 0.05)
    worker = processes.ProcessExecutor(Limits())
    futures = [worker.submit(time.sleep, 0.4) for _ in range(3)]
    worker.shutdown()
    assert [future.result(0) for future in futures] == [None] * 3


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_what_a_terminal_sends_to_all_is_not_for_workers() -> None:
    worker = processes.ProcessExecutor(Limits())
    pid = worker.submit(os.getpid).result(20)
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGHUP)
    assert worker.submit(os.getpid).result(20) == pid
    os.kill(pid, signal.SIGTERM)
    with pytest.raises(WorkerDied):
        worker.submit(time.sleep, 20).result(20)
    worker.shutdown()


def test_no_room_for_workers_is_said_and_leaves_none(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tree: Path
) -> None:
    begin, begun = multiprocessing.Process.start, []
    process = type(load_executor("processes")(Limits())._process)

    def start(self: multiprocessing.Process) -> None:
        if len(begun) == 2:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        begun.append(self)
        begin(self)

    monkeypatch.setattr(process, "start", start)
    monkeypatch.setattr("gpool_cli.batch.jobs._WORTH_BYTES", 1)
    assert run(["avg", str(tree), "-o", str(tree.parent / "out.npy"), "--jobs", "3"]) == 1
    said = "can't start a worker process: Resource temporarily unavailable"
    assert said in capfd.readouterr().err
    assert not any(alive(str(one.pid)) for one in begun)
