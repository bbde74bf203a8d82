"""Any box of a mask: every format and order, and no more in memory than is said."""

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpool_cli.access import DEFAULT_ACCESS, Access
from gpool_cli.batch import windows
from gpool_cli.batch.keptwindows import KeptWindows
from gpool_cli.batch.windows import Windows
from gpool_cli.errors import InputError

SHAPE = (5, 37, 23)


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of a few rows, of which few are kept."""
    monkeypatch.setattr(windows, "BLOCK_BYTES", 100)
    monkeypatch.setattr(windows, "_kept", KeptWindows(300))


def save_npy(path: Path, values: np.ndarray) -> str:
    np.save(path / "m.npy", values)
    return str(path / "m.npy")


def save_fortran(path: Path, values: np.ndarray) -> str:
    return save_npy(path, np.asfortranarray(values))


def save_npz(path: Path, values: np.ndarray) -> str:
    np.savez_compressed(path / "m.npz", m=values)
    return str(path / "m.npz")


def save_h5(path: Path, values: np.ndarray) -> str:
    with h5py.File(path / "m.h5", "w") as file:
        file.create_dataset("m", data=values, chunks=(2, 10, 23), compression=1)
    return str(path / "m.h5")


SAVERS = [save_npy, save_fortran, save_npz, save_h5]


@pytest.mark.parametrize("save", SAVERS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_box(save: Callable[..., str], tmp_path: Path, data: st.DataObject) -> None:
    values = np.random.default_rng(0).random(SHAPE) < 0.5
    bounds = [sorted(data.draw(st.tuples(*[st.integers(0, n)] * 2))) for n in SHAPE]
    start = tuple(min(a, n - 1) for (a, _), n in zip(bounds, SHAPE, strict=True))
    shape = tuple(max(1, b - a) for a, (_, b) in zip(start, bounds, strict=True))
    found = Windows(save(tmp_path, values), "", True, DEFAULT_ACCESS)
    try:
        box = tuple(slice(a, a + n) for a, n in zip(start, shape, strict=True))
        np.testing.assert_array_equal(found.box(start, shape), values[box])
    finally:
        found.close()


def test_few_windows_are_kept(tmp_path: Path) -> None:
    path = save_npy(tmp_path, np.ones((1000, 20), bool))
    found = Windows(path, "", True, DEFAULT_ACCESS)
    for row in range(1000):
        found.box((row, 0), (1, 20))
    found.close()
    assert 0 < held() <= 300


def held() -> int:
    return sum(window.values.nbytes for window in windows._kept._windows.values())


@pytest.mark.parametrize("save", [save_npy, save_h5])
def test_boxes_across_many_windows_are_cut_out_of_few_slabs(
    save: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(0).random((40, 10, 23)) < 0.5
    found = Windows(save(tmp_path, values), "", True, DEFAULT_ACCESS)
    reads = []
    read = Windows._read
    monkeypatch.setattr(
        Windows, "_read", lambda self, number: reads.append(number) or read(self, number)
    )
    for column, row in itertools.product(range(23), range(10)):
        box = found.box((0, row, column), (40, 1, 1))
        np.testing.assert_array_equal(box, values[:, row : row + 1, column : column + 1])
        assert held() <= 300
    # A slab has 150 values, three boxes, and ten boxes are a column.
    assert len(reads) <= len(found._parts) * 23 * 4
    found.close()


def test_a_box_keeps_no_window_alive(tmp_path: Path) -> None:
    found = Windows(save_npy(tmp_path, np.ones((10, 20), bool)), "", True, DEFAULT_ACCESS)
    assert len(found._numbers((0, 0), (10, 1))) > 1
    assert found.box((0, 0), (10, 1)).base is None
    found.close()


def test_what_is_kept_is_not_read_again(tmp_path: Path) -> None:
    path = save_npy(tmp_path, np.ones((4, 20), bool))
    first = Windows(path, "", True, DEFAULT_ACCESS)
    first.box((0, 0), (4, 20))
    first.close()
    again = Windows(path, "", True, DEFAULT_ACCESS)
    assert again.box((0, 0), (4, 20)).all()
    assert again._reader is None


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = save_npy(tmp_path, np.ones((4, 20), bool))
    first = Windows(path, "", True, DEFAULT_ACCESS)
    assert first.box((0, 0), (4, 20)).all()
    first.close()
    save_npy(tmp_path, np.zeros((4, 20), bool))
    os.utime(path, ns=(1, 1))
    again = Windows(path, "", True, DEFAULT_ACCESS)
    assert not again.box((0, 0), (4, 20)).any()
    again.close()


def test_a_mask_and_weights_of_one_file_are_two(tmp_path: Path) -> None:
    path = save_npy(tmp_path, np.eye(4))
    mask, weights = (Windows(path, "", kind, DEFAULT_ACCESS) for kind in (True, False))
    assert mask.box((0, 0), (4, 4)).dtype == bool
    assert weights.box((0, 0), (4, 4)).dtype == np.float64
    mask.close()
    weights.close()


@pytest.mark.parametrize("save", [save_npz, save_h5])
def test_what_is_too_large_is_refused(save: Callable[..., str], tmp_path: Path) -> None:
    path = save(tmp_path, np.ones(SHAPE, bool))
    with pytest.raises(InputError, match="at a time, which is more than --max-memory"):
        Windows(path, "", True, Access(max_memory=200))


def test_a_view_is_that_of_the_maps(tmp_path: Path) -> None:
    path = save_npy(tmp_path, np.full((4, 5), 3, "u2"))
    found = Windows(path, "", False, Access(view="bfloat16"))
    assert found.box((0, 0), (4, 5)).tolist() == [[3] * 5] * 4
    found.close()
