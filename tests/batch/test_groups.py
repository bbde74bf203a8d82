"""Many small datasets in one HDF5 file: what is not asked for stays closed, and nothing changes."""

import pickle
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
from gpool_cli.model import Failed, InputFile, Outcome, Result, Task
from gpool_cli.recipe import PoolingSpec, Recipe

GROUPS = 1500  # More than two workers are handed at one time, and more than are listed at first.
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
        (outcome.info.dataset, outcome.pooling.name, outcome.parts > 1, outcome.values.tobytes())
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
    monkeypatch.setattr(work, "_LISTED_FIRST", 10 * GROUPS)
    lazily = here(task_of(features, *keys))
    monkeypatch.setattr(work, "may_be_wanted", lambda keys: any_name)
    assert here(task_of(features, *keys)) == lazily
    if keys == ("descriptors",):
        # One is damaged, and a soft link leads to one.
        assert sum(words[1] == "avg" for words in lazily) == GROUPS
        failed = [str(words[1]) for words in lazily if words[0] == "Failed"]
        # What can't be opened may be a group, with descriptors in it.
        for name, said in zip(("400.jpg/descriptors", "401.jpg/keypoints"), failed, strict=True):
            assert f"dataset='db/000{name}'" in said


@pytest.mark.parametrize("keys", [*KEYS, ("*.jpg/descriptors",), ("odd/**/descriptors",)])
@pytest.mark.parametrize("most", [3, 1024])
def test_a_file_that_is_listed_in_parts_gives_the_same(
    features: Path, keys: tuple[str, ...], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = task_of(features, *keys)
    at_once = here(task)
    monkeypatch.setattr(units, "_SMALL_FILE", 1)
    monkeypatch.setattr(work, "_LISTED_FIRST", most)
    in_parts = here(task)
    # What is said of the others comes with the part that they are in.
    assert results_in(in_parts) == results_in(at_once)
    assert sorted(map(str, in_parts)) == sorted(map(str, at_once))
    assert in_parts[-1] == at_once[-1]


def results_in(said: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [words for words in said if len(words) == 4]


def listings(task: Task) -> list[work.Listing]:
    """All parts of a listing, as they come."""
    found = [work.list_maps(task)]
    while (rest := found[-1].rest) is not None:
        found.append(work.list_maps(task, pickle.loads(pickle.dumps(rest))))
    return found


def test_the_parts_of_a_listing_grow_and_make_the_whole_file(features: Path) -> None:
    found = listings(task_of(features, "descriptors"))
    # A soft link leads to one, and one is damaged.
    assert [len(one.maps) for one in found] == [1024, GROUPS - 1024]
    assert [one.count for one in found] == [1024, GROUPS]
    assert sum(one.share for one in found) == pytest.approx(1)
    assert all(0 < one.share < 1 for one in found)


def test_a_part_has_a_quarter_of_what_was_listed_before_be_it_maps_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_LISTED_FIRST", 8)
    path = tmp_path / "few.h5"
    with h5py.File(path, "w") as file:
        for i in range(500):
            file[f"{i:03}"] = np.ones((8, 5) if i < 3 else (), np.float32)
    found = listings(task_of(path))
    assert [len(one.maps) for one in found] == [3] + [0] * 16
    assert [len(one.outcomes) for one in found][:7] == [5, 8, 8, 8, 8, 10, 12]
    assert sum(one.share for one in found) == pytest.approx(1)


def test_names_that_only_the_whole_file_can_tell_are_looked_up_in_all_of_it(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_LISTED_FIRST", 4)
    for keys in (("db/000003.jpg/descriptors",), ("descriptors", "keypoints"), ("nothing",)):
        assert len(listings(task_of(features, *keys))) == 1
    shadowed = tmp_path / "shadowed.h5"
    with h5py.File(shadowed, "w") as file:
        for name in (*(f"{i}/x" for i in range(9)), "x"):
            file[name] = np.ones((8, 5), np.float32)
    (listing,) = listings(task_of(shadowed, "x"))
    assert [info.dataset for info, _ in listing.maps] == ["x"]
    lone = tmp_path / "lone.h5"
    with h5py.File(lone, "w") as file:
        for name, shape in (*((f"{i}", (5,)) for i in range(9)), ("9", (8, 5))):
            file[name] = np.ones(shape, np.float32)
    (listing,) = listings(task_of(lone))
    assert (len(listing.maps), listing.count) == (1, 1)


def test_a_part_begins_with_what_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_LISTED_FIRST", 2)
    path = tmp_path / "links.h5"
    with h5py.File(path, "w") as file:
        for i in range(5):
            file[f"db/{i}/x"] = np.ones((8, 5), np.float32)
        for i in range(9):  # They must be followed to know that they are no groups.
            file[f"links/{i}/y"] = h5py.SoftLink("/db/0/x")
    found = listings(task_of(path, "x"))
    assert [len(one.maps) for one in found] == [2, 2, 1]
    assert [one.outcomes for one in found] == [[], [], []]


def test_a_file_that_changes_while_it_is_listed_is_a_failure(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_LISTED_FIRST", 100)
    path = tmp_path / "changing.h5"
    path.write_bytes(features.read_bytes())
    task = task_of(path, "descriptors")
    rest = work.list_maps(task).rest
    assert rest is not None
    with h5py.File(path, "r+") as file:
        file.move("db", "elsewhere")
    (failed,) = work.list_maps(task, rest).outcomes
    assert isinstance(failed, Failed)
    assert failed.message.startswith("can't be opened")


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
