"""What the work on a map takes of memory: what is refused, what waits, what gets its own steps."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.access import Access
from gpool_cli.batch import memory
from gpool_cli.batch.executors import Limits, load_executor
from gpool_cli.batch.pipeline import Work, outcomes_of
from gpool_cli.batch.slots import Slots
from gpool_cli.batch.units import Maps, Unit
from gpool_cli.batch.work import pool_file
from gpool_cli.cli.main import run
from gpool_cli.errors import InputError
from gpool_cli.formats import row_named
from gpool_cli.layout import Layout
from gpool_cli.model import Alike, ArrayInfo, InputFile, Outcome, Result, Task, TooLarge
from gpool_cli.recipe import PoolingSpec, Recipe

RECIPE = Recipe((PoolingSpec("avg"), PoolingSpec("max")))
NHWC = Layout("NHWC", "file")
MB = 1 << 20


def info_of(shape: tuple[int, ...], chunks: tuple[int, ...] | None = None) -> ArrayInfo:
    return ArrayInfo("g/m", shape, np.dtype("f4"), chunks=chunks)


class TestCheck:
    def test_a_chunk_that_is_too_large(self) -> None:
        info = info_of((8, 1024, 1024, 64), (4, 1024, 1024, 64))
        with pytest.raises(InputError) as caught:
            memory.check_memory(info, NHWC, RECIPE, 1000 * MB, row_named("h5").rechunk)
        assert "chunks of 4x1024x1024x64, 1.07 GB each" in caught.value.message
        assert "h5repack -l g/m:CHUNK=1x4x1024x64 OLD NEW" in caught.value.hint
        with pytest.raises(InputError) as caught:
            memory.check_memory(info, NHWC, RECIPE, 1000 * MB)
        assert caught.value.hint.endswith("or write it again in chunks of 1x4x1024x64")
        memory.check_memory(info, NHWC, RECIPE, 1024 * MB)

    def test_too_many_channels(self) -> None:
        info, layout = info_of((1, 1, 100_000_000)), Layout("HWC", "default")
        with pytest.raises(InputError, match="8 GB are needed, more than --max-memory"):
            memory.check_memory(info, layout, RECIPE, 512 * MB)
        memory.check_memory(info, layout, RECIPE, 8000 * MB)

    def test_a_long_batch_of_ordinary_maps_is_no_trouble(self) -> None:
        memory.check_memory(info_of((10**7, 7, 7, 2048)), NHWC, RECIPE, 16 * MB)


@pytest.fixture
def long_files(tmp_path: Path) -> list[InputFile]:
    """Files whose results are much longer than they are, between ordinary ones."""
    rng = np.random.default_rng(0)
    paths = [tmp_path / name for name in ("a.h5", "b.h5", "c.npz", "d.npz", "e.npy")]
    for path in paths[:2]:
        with h5py.File(path, "w") as file:
            rows = 4000 if path.name == "b.h5" else 3
            values = rng.integers(0, 9, (rows, 1, 1, 8)).astype("f4")
            file.create_dataset("m", data=values, chunks=(3, 1, 1, 8), compression="gzip")
            file["n"] = values[:2]
    np.savez_compressed(paths[2], m=np.ones((4000, 1, 1, 8)), n=np.ones((2, 2, 3)))
    np.savez_compressed(paths[3], m=np.ones((2, 2, 3)))
    np.save(paths[4], np.ones((2, 2, 3)))
    return [InputFile(str(path), path.name) for path in paths]


def told(outcome: Outcome | Alike) -> tuple[object, ...]:
    assert not isinstance(outcome, Alike)
    words: tuple[object, ...] = (type(outcome).__name__, outcome.file.name)
    if isinstance(outcome, Result):
        words += (outcome.info.dataset, outcome.pooling.name, outcome.values.tobytes())
    return words


class TestTooLarge:
    def test_is_said_instead_of_an_answer(
        self, long_files: list[InputFile], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(memory, "_LONG", 100_000)
        said = [list(pool_file(Task(file, RECIPE), 1 << 29)) for file in long_files]
        large = [isinstance(outcomes[0], TooLarge) for outcomes in said]
        assert large == [False, True, True, False, False]
        assert [len(outcomes) for outcomes in said[1:3]] == [1, 1]

    def test_is_said_of_a_file_that_takes_more_than_its_share(
        self, long_files: list[InputFile]
    ) -> None:
        (said,) = pool_file(Task(long_files[0], RECIPE), share=100)
        assert isinstance(said, TooLarge)

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_files_get_their_own_steps_and_give_the_same_in_the_same_order(
        self, count: int, long_files: list[InputFile], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tasks = [Task(file, RECIPE) for file in long_files]
        expected = [told(outcome) for task in tasks for outcome in pool_file(task)]
        monkeypatch.setattr(memory, "_LONG", 100_000)
        if count == 0:
            said = [told(o) for o in outcomes_of(tasks, Work(), lambda share: None)]
        else:
            with Slots(partial(load_executor("processes"), Limits()), count) as slots:
                work = Work(slots.answers, slots.look, count)
                said = [told(o) for o in outcomes_of(tasks, work, lambda share: None)]
        assert said == expected


@pytest.mark.parametrize(("each", "together"), [(100, 3), (200, 2), (300, 1), (900, 1)])
def test_units_are_worked_on_together_as_far_as_memory_goes(
    each: int, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, running, most = 0, 0, 0
    lock = threading.Lock()
    barrier = threading.Barrier(together, timeout=30)

    def work(unit: Unit) -> list[Outcome]:
        nonlocal begun, running, most
        with lock:
            begun += 1
            running += 1
            most = max(most, running)
            is_first = begun <= together
        # Later ones may meet on one worker, which the first can't.
        if is_first:
            barrier.wait()
        time.sleep(0.01)
        with lock:
            running -= 1
        return []

    monkeypatch.setattr("gpool_cli.batch.slot.work_on", work)
    task = Task(InputFile("a.h5", "a.h5"), RECIPE, access=Access(max_memory=500))
    steps = [Maps(task, (), 1, 0.0, each) for _ in range(6)]
    with Slots(lambda: ThreadPoolExecutor(1), 3) as slots:
        assert [step for step, _ in slots.answers(steps)] == steps
    assert most == together


def test_the_numbers_do_not_depend_on_it(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    values = np.random.default_rng(0).normal(size=(40, 32, 32, 64)).astype("f4")
    with h5py.File(path, "w") as file:
        file.create_dataset("m", data=values, chunks=(20, 32, 32, 64), compression=1)
    written = []
    for size in ("16MiB", "64MiB", "2GiB"):
        out = tmp_path / f"{size}.npz"
        assert run(["avg", str(path), "-o", str(out), "--max-memory", size, "--jobs", "2"]) == 0
        written.append(out.read_bytes())
    assert written[0] == written[1] == written[2]


def test_what_is_refused_costs_its_map_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "a.h5", tmp_path / "out"
    with h5py.File(path, "w") as file:
        file["good"] = np.ones((2, 7, 7, 3), "f4")
        file.create_dataset("huge", (64, 512, 512, 3), "f4", chunks=(32, 512, 512, 3))
    assert run(["avg", str(path), "-o", f"{out}.jsonl", "--max-memory", "64M"]) == 1
    said = capsys.readouterr()
    assert "a.h5:huge: has chunks of 32x512x512x3, 101 MB each" in said.err
    assert "1 map of 1 file" in said.out


@pytest.mark.parametrize(
    ("words", "code"), [("lots", 2), ("1M", 2), ("-5", 2), ("800M", 0), ("1.5 GiB", 0)]
)
def test_sizes(words: str, code: int, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((2, 2, 3), "f4"))
    assert run(["avg", str(tmp_path / "a.npy"), "--max-memory", words]) == code
