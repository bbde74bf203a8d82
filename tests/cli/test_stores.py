"""Inputs that are directories: one input each, in a walk and by name, resumed when they change."""

import json
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of one group with one array, in a tree; uncompressed."""
    path = tmp_path / "tree/maps.zarr"
    (path / "g/m").mkdir(parents=True)
    for group in (path, path / "g"):
        (group / ".zgroup").write_text('{"zarr_format": 2}')
    said = {
        **{"zarr_format": 2, "shape": [4, 4, 3], "chunks": [2, 4, 3], "dtype": "<f4"},
        **{"compressor": None, "filters": None, "fill_value": 0, "order": "C"},
    }
    (path / "g/m/.zarray").write_text(json.dumps(said))
    for i in range(2):
        (path / f"g/m/{i}.0.0").write_bytes(np.full((2, 4, 3), i, "<f4").tobytes())
    return path


def test_a_walk_takes_it_as_one_input(gpool, store: Path) -> None:
    ran = gpool("avg", "tree", "-o", "out", "-f", "npz")
    assert ran.code == 0
    with np.load("out/maps.npz") as file:
        assert file["g/m"].tolist() == [[[[0.5, 0.5, 0.5]]]]


@pytest.mark.parametrize("word", ["tree/maps.zarr", "tree/maps.zarr/", "tree/maps.zarr:m"])
def test_it_is_named_as_a_file_is(gpool, store: Path, word: str) -> None:
    assert gpool("max", word, "-o", "out.npy").code == 0
    assert np.load("out.npy").tolist() == [[[1, 1, 1]]]


def test_another_name_does_not_hide_what_it_is(gpool, store: Path) -> None:
    store.rename("plain")
    assert gpool("max", "plain", "-o", "out.npy").code == 0


def test_a_change_in_a_chunk_is_seen(gpool, store: Path) -> None:
    words = ("avg", "tree", "-o", "out/")
    assert gpool(*words).code == 0
    assert "1 done before" in gpool(*words, "--resume").out
    (store / "g/m/0.0.0").write_bytes(np.full((2, 4, 3), 9, "<f4").tobytes())
    assert gpool(*words, "--resume").code == 0
    assert np.load("out/maps.npy").ravel().tolist() == [5, 5, 5]


def test_view_is_a_parameter_of_a_directory(gpool) -> None:
    pytest.importorskip("ml_dtypes")
    np.save("a.npy", np.zeros((4, 4, 3), "u2"))
    assert gpool("avg", "a.npy", "-o", "out/", "--view", "bfloat16").code == 0
    ran = gpool("avg", "a.npy", "-o", "out/", "--resume")
    assert ran.code == 2
    assert "made with view bfloat16" in ran.errors[0]
