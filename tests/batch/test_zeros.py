"""Which channels are 0 in every result of a run, whichever way the results came."""

import json

import h5py
import numpy as np
import pytest

from gpool_cli.cli.main import run


@pytest.fixture
def totals(tmp_path, monkeypatch):
    """The totals of a run over the files of the directory."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        (tmp_path / "report.json").unlink(missing_ok=True)
        assert run([*words, "--report", "report.json", "--quiet"]) == 0
        said = json.loads((tmp_path / "report.json").read_text())["totals"]
        return said["zero_channels"], said["channels"]

    return call


def maps(count, dead=(1, 3), channels=5):
    values = np.ones((count, 2, 3, channels), "f4")
    values[..., list(dead)] = 0
    return values


@pytest.mark.parametrize("shape", ["channels-last", "keepdims", "flat"])
@pytest.mark.parametrize("layout", ["HWC", "CHW"])
def test_in_one_map(totals, shape, layout):
    values = maps(1)[0]
    np.save("a.npy", values if layout == "HWC" else values.transpose(2, 0, 1))
    assert totals("avg", "a.npy", "--layout", layout, "--shape", shape) == (2, 5)


def test_a_channel_that_fires_once_is_not_zero_throughout(totals):
    values = maps(4)
    values[2, 1, 1, 3] = -1
    np.save("n.npy", values)
    assert totals("avg", "n.npy") == (1, 5)
    assert totals("max", "n.npy") == (2, 5)
    assert totals("pool", "-m", "max", "-m", "avg", "n.npy") == (1, 5)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_many_files_and_maps_that_come_together_or_alone(totals, tmp_path, jobs):
    (tmp_path / "in").mkdir()
    values = maps(40)
    values[31, :, :, 3] = np.nan  # it is a value, and not 0
    for number, one in enumerate(values):
        np.save(f"in/{number:02}.npy", one)
    with h5py.File("in/x.h5", "w") as file:
        file["a"], file["b"] = values[0], values[:9]
    assert totals("avg", "in", "--jobs", jobs) == (1, 5)
    assert totals("avg", "in", "--jobs", jobs, "-o", "out.h5") == (1, 5)


def test_of_several_widths_nothing_is_said(totals):
    np.save("a.npy", maps(1)[0])
    np.save("b.npy", maps(1, channels=7)[0])
    np.save("c.npy", maps(1)[0])
    assert totals("avg", "a.npy", "b.npy", "c.npy", "-o", "out.npz") == (0, 0)


def test_of_a_map_without_channels(totals):
    np.save("a.npy", np.zeros((3, 3)))
    assert totals("max", "a.npy", "--shape", "keepdims") == (1, 1)


def test_a_large_batch_in_pieces(totals, monkeypatch):
    monkeypatch.setattr("gpool_cli.formats.interface.PART_BYTES", 200)
    values = maps(30)
    values[29, 0, 0, 1] = 1
    np.save("n.npy", values)
    assert totals("max", "n.npy") == (1, 5)
