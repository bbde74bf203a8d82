"""Small maps of one file that go together: what comes of each is what comes of it alone."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.batch import units
from gpool_cli.batch.pipeline import Work, outcomes_of
from gpool_cli.batch.sidebyside import pool_rows
from gpool_cli.batch.work import list_maps, pool_maps
from gpool_cli.formats import hdf5reader
from gpool_cli.formats.interface import Reader
from gpool_cli.layout import Layout
from gpool_cli.model import Alike, Failed, InputFile, Outcome, Result, Task
from gpool_cli.recipe import NAN_POLICIES, PoolingSpec, Recipe
from tests.batch.test_alike import POOLINGS, specials, told, values_of

SHAPE = (5, 6, 7)


def save(path: Path, arrays: Sequence[np.ndarray]) -> Path:
    with h5py.File(path, "w") as file:
        for i, array in enumerate(arrays):
            file[f"g{i:03}/map"] = array
    return path


def arrays_of(dtype: str, count: int = 9, shape: tuple[int, ...] = SHAPE) -> list[np.ndarray]:
    rng = np.random.default_rng(count)
    return [specials(values_of(rng, shape, dtype), max(0, i - 4)) for i in range(count)]


def task_of(path: Path, recipe: Recipe) -> Task:
    return Task(InputFile(str(path), path.name), recipe)


def counts(path: Path, recipe: Recipe) -> list[int]:
    """How many maps went together in each answer; 0 for what went the ordinary way."""
    task = task_of(path, recipe)
    listing = list_maps(task)
    answers = pool_maps(task, listing.maps, len(listing.maps))
    return [o.count if isinstance(o, Alike) else 0 for o in answers]


def said_of(path: Path, recipe: Recipe) -> list[Outcome]:
    """What comes of the maps of a large file, one by one."""
    outcomes = list(outcomes_of([task_of(path, recipe)], Work(), lambda share: None))
    return [outcome for outcome in outcomes if not isinstance(outcome, Alike)]


@pytest.fixture(autouse=True)
def _every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "_SMALL_FILE", 0)


def check_same_as_alone(path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Hold maps that go together against the same maps alone; how many went together."""
    together = [told(outcome) for outcome in said_of(path, recipe)]
    with monkeypatch.context() as patch:
        patch.setattr(hdf5reader.Hdf5Reader, "side_by_side", Reader.side_by_side)
        assert not any(counts(path, recipe))
        assert together == [told(outcome) for outcome in said_of(path, recipe)]
    return counts(path, recipe)


def test_what_is_known_of_channels_at_a_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    for shape, batches in (((1, 1, 1 << 16), 20), ((1, 1, 1 << 12), 3), ((16, 16, 64), 1)):
        values = rng.random((20, *shape), "f4")
        rows = pool_rows(values, Layout("HWC"), Recipe((PoolingSpec("lse", (("r", 10.0),)),)))
        assert len(rows) == batches
        got = np.concatenate([one.piece.values[0] for one in rows])
        exact = np.log(np.exp(10 * values.astype("f8")).mean(axis=(1, 2))) / 10
        np.testing.assert_allclose(got.reshape(exact.shape), exact, rtol=1e-6)


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("nan", NAN_POLICIES)
@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8", "u1", ">i2", "i8"])
def test_maps_that_go_together_have_the_bits_they_have_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, nan: str, batched: bool
) -> None:
    path = save(tmp_path / "m.h5", arrays_of(dtype))
    recipe = Recipe(POOLINGS, nan=nan, batched=batched)  # type: ignore[arg-type]
    together = check_same_as_alone(path, recipe, monkeypatch)
    assert together == [9] or nan == "error"


@pytest.mark.parametrize("shape", ["channels-last", "keepdims", "flat"])
@pytest.mark.parametrize("layout", ["HWC", "CHW", "HCW", "LHW"])
@pytest.mark.parametrize("batched", [False, True])
def test_every_output_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str, layout: str, batched: bool
) -> None:
    path = save(tmp_path / "m.h5", arrays_of("f4", 4))
    poolings = (*POOLINGS, PoolingSpec("catavgmax"), PoolingSpec("median"))
    recipe = Recipe(poolings, layout, shape=shape, batched=batched)  # type: ignore[arg-type]
    assert check_same_as_alone(path, recipe, monkeypatch) == [4]


def test_what_is_not_like_the_others_goes_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = arrays_of("f4", 16)
    arrays[4] = arrays[4][:3]
    arrays[5] = arrays[5].astype("f8")
    arrays[8:10] = np.stack([arrays[8:10], arrays[8:10]])
    path = save(tmp_path / "m.h5", arrays)
    with h5py.File(path, "a") as file:
        del file["g011/map"]
        file.create_dataset("g011/map", data=arrays[11], chunks=(5, 6, 7), compression="gzip")
        file["g013/map"].attrs["scale_factor"] = 0.5
    together = check_same_as_alone(path, Recipe(POOLINGS), monkeypatch)
    assert together == [4, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2]


def test_what_is_wrong_with_a_map_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = [np.full(SHAPE, 300.0 if i == 3 else i, np.float32) for i in range(8)]
    path = save(tmp_path / "m.h5", arrays)
    recipe = Recipe(POOLINGS, dtype="uint8")
    check_same_as_alone(path, recipe, monkeypatch)
    failed = [o for o in said_of(path, recipe) if isinstance(o, Failed)]
    assert [one.dataset for one in failed] == ["g003/map"]


def test_a_file_that_changed_is_not_read_where_its_maps_were(tmp_path: Path) -> None:
    arrays = arrays_of("u1", 4)
    task = task_of(save(tmp_path / "m.h5", arrays), Recipe(POOLINGS))
    listing = list_maps(task)
    save(tmp_path / "m.h5", arrays[::-1])
    answers = list(pool_maps(task, listing.maps, 4))
    largest = [o.values for o in answers if isinstance(o, Result) and o.pooling.name == "max"]
    expected = [array.max((0, 1), keepdims=True) for array in arrays[::-1]]
    np.testing.assert_array_equal(largest, expected)


def test_a_file_that_is_cut_short_costs_the_maps_behind_the_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "m.h5", arrays_of("f4", 6))
    fill = hdf5reader.RawFile._read

    def ends_early(raw: hdf5reader.RawFile, view: memoryview, offset: int) -> int:
        return fill(raw, view, offset) if offset < 5000 else 0

    monkeypatch.setattr(hdf5reader.RawFile, "_read", ends_early)
    recipe = Recipe(POOLINGS)
    assert any(check_same_as_alone(path, recipe, monkeypatch))
    assert any(isinstance(outcome, Failed) for outcome in said_of(path, recipe))


def test_many_maps_take_no_more_memory_than_a_block(tmp_path: Path) -> None:
    path = save(tmp_path / "m.h5", arrays_of("f4", 9, (64, 64, 32)))
    with hdf5reader.Hdf5Reader(str(path)) as reader:
        infos = list(reader.arrays())
        lengths = [len(reader.side_by_side(infos[i:])) for i in (0, 4, 8)]
    assert lengths == [4, 4, 1]
    assert counts(path, Recipe(POOLINGS)) == [9]
