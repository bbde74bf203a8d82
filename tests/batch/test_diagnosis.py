"""What is wrong with channels: every case by its definition, whatever the file and the workers."""

import h5py
import numpy as np
import pytest

from gpool_cli.batch.diagnosis import Diagnosed, Diagnosis, diagnose, recipe_of
from gpool_cli.batch.pipeline import Work
from gpool_cli.batch.workers import workers
from gpool_cli.model import Failed, InputFile, Task


def tasks_of(*paths, layout=None):
    return [Task(InputFile(str(path), str(path)), recipe_of(layout)) for path in paths]


@pytest.fixture
def diagnosis(tmp_path):
    """The diagnosis of one map, of a file that holds it."""

    def call(values, layout="HWC") -> Diagnosis:
        np.save(tmp_path / "m.npy", np.asarray(values))
        ((one,),) = diagnose(tasks_of(tmp_path / "m.npy", layout=layout), Work())
        assert isinstance(one, Diagnosed)
        return one.diagnosis

    return call


def channels(*columns, dtype="f4"):
    """A map of two positions from what each of its channels has there."""
    return np.array(columns, dtype).T[np.newaxis]


def test_dead_is_zero_and_constant_is_any_other_value_throughout(diagnosis):
    found = diagnosis(channels([0, 0], [0, -0.0], [2, 2], [0, 1], [-1, 1]))
    assert (found.channels, found.dead, found.constant) == (5, 2, 1)
    assert (found.low, found.high) == (-1.0, 2.0)
    assert (found.nan, found.infinite, found.saturated, found.ceiling) == (0, 0, 0, None)


def test_nan_and_infinities_are_counted_and_keep_a_channel_from_being_dead(diagnosis):
    found = diagnosis(channels([0, np.nan], [np.inf, 0], [-np.inf, np.inf], [np.nan, np.nan]))
    assert (found.nan, found.infinite, found.dead, found.constant) == (3, 3, 0, 0)
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_of_nan_alone_there_is_no_range(diagnosis):
    found = diagnosis(np.full((2, 2, 3), np.nan))
    assert (found.low, found.high, found.nan, found.constant) == (None, None, 12, 0)


def test_one_value_in_a_channel_is_not_constant(diagnosis):
    found = diagnosis(np.array([[[0.0, 5.0]]]))
    assert (found.dead, found.constant) == (1, 0)


@pytest.mark.parametrize(
    ("dtype", "columns", "saturated", "ceiling"),
    [
        ("f4", ([6, 0], [6, 6], [5.9, 0]), 2, 6.0),
        ("f4", ([6, 0], [6.1, 0]), 0, None),  # 6 is nobody's ceiling where a value is above it
        ("f2", ([65504, 0], [6, 0]), 1, 65504.0),
        ("u1", ([255, 0], [254, 0]), 1, 255),
        ("u1", ([6, 0], [254, 0]), 0, None),
        ("i1", ([127, 0], [-128, 0]), 1, 127),
        ("?", ([1, 0], [1, 1]), 0, None),
        ("f4", ([6, np.nan], [0, 0]), 1, 6.0),
        ("f4", ([6, np.inf], [0, 0]), 0, None),
    ],
)
def test_saturated_channels_reach_the_ceiling(diagnosis, dtype, columns, saturated, ceiling):
    found = diagnosis(channels(*columns, dtype=dtype))
    assert (found.saturated, found.ceiling) == (saturated, ceiling)
    assert isinstance(found.ceiling, type(ceiling))


def test_a_channel_is_dead_in_all_maps_of_a_batch_or_it_is_not(diagnosis):
    batch = np.zeros((3, 2, 2, 4), "f4")
    batch[2, 0, 0, 1] = 1
    batch[:, :, :, 2] = 7
    batch[1, :, :, 3] = 7
    found = diagnosis(batch, "NHWC")
    assert (found.channels, found.dead, found.constant) == (4, 1, 1)


@pytest.mark.parametrize("layout", ["CHW", "HWC", "HW", "NCHW", "HCW"])
def test_any_layout(diagnosis, layout):
    values = np.ones([{"N": 2, "C": 3, "H": 4, "W": 5}[letter] for letter in layout])
    where = [0 if letter == "C" else slice(None) for letter in layout]
    values[tuple(where)] = 0
    found = diagnosis(values, layout)
    assert (found.channels, found.dead) == (3 if "C" in layout else 1, 1)
    assert found.constant == found.channels - 1


def test_workers_and_parts_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("gpool_cli.formats.interface.PART_BYTES", 1 << 10)
    monkeypatch.setattr("gpool_cli.batch.units._SMALL_FILE", 1 << 10)
    values = np.random.default_rng(0).integers(0, 3, (20, 6, 5, 40)).astype("f4")
    values[..., 7] = 0
    values[13, 2, 2, 9] = np.nan
    np.save(tmp_path / "a.npy", values)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("x", data=values, chunks=(3, 6, 5, 40))
        file["y"] = values[0]
    for number in range(4):
        np.save(tmp_path / f"c{number}.npy", values[number])
    (tmp_path / "d.npy").write_bytes(b"damaged")
    tasks = tasks_of(*sorted(tmp_path.iterdir()))
    answers = []
    for count in (1, 2):
        with workers(count, 10, 1 << 29) as work:
            answers.append(list(diagnose(tasks, work)))
    assert answers[0] == answers[1]
    assert [len(said) for said in answers[0]] == [1, 2, 1, 1, 1, 1, 1]
    first, (x, y), *rest, last = answers[0]
    assert first[0].diagnosis == x.diagnosis
    assert (x.diagnosis.dead, x.diagnosis.nan) == (1, 1)
    assert rest[0][0].diagnosis == y.diagnosis
    assert isinstance(last[0], Failed)
