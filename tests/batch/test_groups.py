"""Many small datasets in one HDF5 file: what is not asked for stays closed, and nothing changes."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.access import Access
from gpool_cli.batch import plan, units, work
from gpool_cli.batch.executors import Limits, load_executor
from gpool_cli.batch.pipeline import Work, outcomes_of
from gpool_cli.batch.slots import Slots
from gpool_cli.batch.workers import Scout
from gpool_cli.cli.main import run
from gpool_cli.formats.hdf5walk import any_name
from gpool_cli.model import InputFile, Outcome, Result, Task
from gpool_cli.recipe import PoolingSpec, Recipe

GROUPS = 600  # More than two workers are handed at one time.
RECIPE = Recipe((PoolingSpec("avg"), PoolingSpec("max")), "CL")


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A group per image as hloc keeps them, and among them whatever else there may be."""
    path = tmp_path_factory.mktemp("groups") / "features.h5"
    rng = np.random.default_rng(3)
    damaged = []
    with h5py.File(path, "w") as file:
        for i in range(GROUPS):
            group = file.create_group(f"db/{i:06}.jpg")
            chunked = {"chunks": (8, 5), "compression": "gzip"} if i % 3 == 0 else {}
            group.create_dataset("descriptors", data=rng.random((8, 5), np.float32), **chunked)
            group["keypoints"] = rng.random((5, 2), np.float32)
        file["db/000010.jpg"].attrs["camera"] = "front"
        file["db/000010.jpg/descriptors"].attrs["made by"] = "a net"
        file["db/000011.jpg/descriptors"].attrs["layout"] = "LC"
        file["odd/strings/descriptors"] = ["a", "b"]
        file["odd/deep/descriptors"] = rng.random((2, 2, 2, 2), np.float32)
        file["odd/empty/descriptors"] = np.zeros((0, 4), np.float32)
        file["odd/link/descriptors"] = h5py.ExternalLink("other.h5", "x")
        file["odd/soft/descriptors"] = h5py.SoftLink("/db/000003.jpg/descriptors")
        file["odd/lost/descriptors"] = h5py.SoftLink("/nowhere")
        file["odd/group/descriptors/inside"] = rng.random((4, 4), np.float32)
        file["odd/type/descriptors"] = np.dtype("f4")
        file["odd/again"] = file["db/000004.jpg"]
        for name in ("db/000400.jpg/descriptors", "db/000401.jpg/keypoints"):
            damaged.append(h5py.h5o.get_info(file[name].id).addr)
    with path.open("r+b") as raw:
        for address in damaged:
            raw.seek(address)
            raw.write(b"\xff" * 16)
    return path


def task_of(path: Path, *keys: str) -> Task:
    return Task(InputFile(str(path), path.name, True, keys), RECIPE)


def told(outcomes: Sequence[Outcome]) -> list[tuple[object, ...]]:
    """Everything there is to know of outcomes, in words that compare."""
    return [
        (outcome.info.dataset, outcome.pooling.name, outcome.parts, outcome.values.tobytes())
        if isinstance(outcome, Result)
        # A dtype is shown in other words after it has travelled.
        else (type(outcome).__name__, str(outcome).replace("dtype('<f4')", "dtype('float32')"))
        for outcome in outcomes
    ]


def here(task: Task) -> list[tuple[object, ...]]:
    return told(list(outcomes_of([task], Work(), lambda share: None)))


KEYS = [(), ("descriptors",), ("db/000003.jpg/*", "keypoints"), ("nothing",), ("strings/*",)]


@pytest.mark.parametrize(
    ("keys", "small"),
    # In one piece, then dealt out; how, is not a question of names.
    [*((keys, 1 << 30) for keys in KEYS[:2]), *((keys, 1) for keys in KEYS)],
)
def test_what_is_not_opened_changes_nothing(
    features: Path, keys: tuple[str, ...], small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "_SMALL_FILE", small)
    lazily = here(task_of(features, *keys))
    monkeypatch.setattr(work, "may_be_wanted", lambda keys: any_name)
    assert here(task_of(features, *keys)) == lazily
    if keys == ("descriptors",):
        # One is damaged, and a soft link leads to one.
        assert sum(words[1] == "avg" for words in lazily) == GROUPS
        failed = [str(words[1]) for words in lazily if words[0] == "Failed"]
        assert len(failed) == 1
        assert "dataset='db/000400.jpg/descriptors'" in failed[0]


def test_a_plan_opens_no_more_either(features: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = InputFile(str(features), features.name, True, ("descriptors",))
    lazily = plan.look_into(file, "CL", Access(), Scout(10))
    monkeypatch.setattr(plan, "may_be_wanted", lambda keys: any_name)
    fully = plan.look_into(file, "CL", Access(), Scout(10))
    assert (fully.maps, fully.skipped) == (lazily.maps, lazily.skipped)
    assert [str(failure) for failure in fully.failed] == [str(it) for it in lazily.failed]


@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_workers_says_the_same_of_many_groups(
    features: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "_SMALL_FILE", 1)
    task = task_of(features, "descriptors")
    with Slots(partial(load_executor("processes"), Limits()), count) as slots:
        work = Work(slots.answers, slots.look, count)
        outcomes = list(outcomes_of([task], work, lambda share: None))
    assert told(outcomes) == here(task)


@pytest.mark.parametrize("output", ["out.npz", "out.h5", "out.npy"])
def test_any_number_of_jobs_writes_the_same_bytes_of_many_groups(
    features: Path, tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpool_cli.batch.jobs._WORTH_BYTES", 1)
    monkeypatch.setattr(units, "_SMALL_FILE", 1)
    written = []
    for jobs in ("1", "3"):
        out = str(tmp_path / f"{jobs}{output}")
        wanted = ["--key", "db/000[0-3]*/descriptors", "--layout", "CL"]
        assert run(["max", *wanted, str(features), "-o", out, "-j", jobs]) == 0
        written.append(Path(out).read_bytes())
    assert written[1] == written[0]


def test_a_mirror_has_all_groups_with_their_attributes(features: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.h5"
    good = ["--key", "db/0000*/descriptors", "--layout", "CL"]
    assert run(["max", *good, str(features), "-o", str(out)]) == 0
    with h5py.File(out) as file, h5py.File(features) as source:
        assert len(file["db"]) == GROUPS
        odd = "deep empty group link lost soft strings type"
        assert set(file["odd"]) == set(odd.split())
        assert file["db/000010.jpg"].attrs["camera"] == "front"
        result = file["db/000010.jpg/descriptors"]
        assert dict(result.attrs)["made by"] == "a net"
        assert (result.attrs["pooling"], result.attrs["layout"]) == ("max", "CL")
        assert [axis.label for axis in result.dims] == ["L", "C"]
        expected = source["db/000010.jpg/descriptors"][()].max(axis=1)
        assert result[()].ravel().tobytes() == expected.tobytes()
