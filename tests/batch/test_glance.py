"""A look at one map: whatever the format and layout, the same cells as numpy gives."""

import h5py
import numpy as np
import pytest

from gpool_cli.access import DEFAULT_ACCESS
from gpool_cli.batch.glance import Glance, View, glance
from gpool_cli.batch.workers import Scout
from gpool_cli.model import InputFile
from gpool_cli.raster import Box
from gpool_cli.recipe import PoolingSpec

SIZES = {"N": 3, "H": 9, "W": 8, "C": 6, "D": 2, "L": 7}


def values_of(layout: str) -> np.ndarray:
    shape = [SIZES[letter] for letter in layout]
    return np.random.default_rng(3).normal(size=shape).astype("f4")


def save(directory, form: str, values: np.ndarray) -> str:
    path = str(directory / f"m.{form.split('-')[0]}")
    if form == "npy":
        np.save(path, values)
    elif form == "npy-fortran":
        np.save(path, np.asfortranarray(values))
    elif form == "npz":
        np.savez_compressed(path, features=values)
    else:
        chunks = tuple(max(1, n // 2) for n in values.shape) if form == "h5-chunks" else None
        with h5py.File(path, "w") as file:
            file.create_dataset("features", data=values, chunks=chunks)
    return path


def look(path: str, layout: str, box=Box(4, 4), **wanted) -> Glance:  # noqa: B008 - frozen
    view = {"index": 0, "channel": None, "top": None, "pooling": PoolingSpec("avg"), "over": "mean"}
    file = InputFile(path, "m")
    with Scout(10) as scout:
        seen = scout.call(
            file, glance, file, View(layout, **{**view, **wanted}), box, DEFAULT_ACCESS
        )
    assert isinstance(seen, Glance), seen
    return seen


def as_hwc(values: np.ndarray, layout: str, index: int) -> np.ndarray:
    if "N" in layout:
        values = values.take(index, layout.index("N"))
        layout = layout.replace("N", "")
    for letter in "HWC":
        if letter not in layout:
            values, layout = values[..., np.newaxis], layout + letter
    return values.transpose([layout.index(letter) for letter in "HWC"]).astype(float)


FORMS = ["npy", "npy-fortran", "npz", "h5", "h5-chunks"]
LAYOUTS = ["HWC", "CHW", "HCW", "WHC", "NHWC", "NCHW", "HWNC", "HW", "NHW"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_format_and_layout(tmp_path, monkeypatch, form, layout):
    # Parts and blocks so small that there are several of them.
    monkeypatch.setattr("gpool_cli.formats.interface.PART_BYTES", 256)
    monkeypatch.setattr("gpool_cli.formats.interface.cut_rows.__defaults__", (100,))
    values = values_of(layout)
    path = save(tmp_path, form, values)
    index = 2 if "N" in layout else 0
    hwc = as_hwc(values, layout, index)
    reduced = np.add.reduceat(np.add.reduceat(hwc, [0, 3, 6], 0), [0, 3, 6], 1)
    reduced /= np.multiply.outer([3, 3, 3], [3, 3, 2])[..., np.newaxis]

    mean = look(path, layout, index=index)
    assert (mean.extent.step, mean.maps) == (3, 3 if "N" in layout else 1)
    assert mean.cells[0] == pytest.approx(reduced.mean(axis=2))

    last = hwc.shape[2] - 1
    assert look(path, layout, index=index, channel=last).cells[0] == pytest.approx(reduced[..., -1])

    top = look(path, layout, index=index, top=2, pooling=PoolingSpec("max"))
    pooled = hwc.max(axis=(0, 1))
    strongest = np.argsort(-pooled)[:2]
    assert top.channels == tuple(strongest)
    assert top.pooled == pytest.approx(pooled[strongest])
    assert top.cells == pytest.approx(reduced[..., strongest].transpose(2, 0, 1))


def test_a_sequence_is_one_row(tmp_path):
    values = values_of("LC")
    seen = look(save(tmp_path, "npy", values), "LC", Box(100, 100), channel=4)
    assert seen.cells[0] == pytest.approx(values[:, 4][np.newaxis])


def test_the_first_of_equal_channels_is_the_stronger_and_nan_the_weakest(tmp_path):
    values = np.zeros((2, 2, 5))
    values[..., 3] = values[..., 1] = 1
    values[0, 0, 0] = np.nan
    seen = look(save(tmp_path, "npy", values), "HWC", top=9)
    assert seen.channels == (1, 3, 2, 4, 0)


def test_only_the_parts_of_the_map_are_read(tmp_path, monkeypatch):
    from gpool_cli.formats.npy import NpyReader

    read = []
    blocks = NpyReader.blocks

    def spy(self, info, parts=None):
        for block, values in blocks(self, info, parts):
            read.append(block.start[0])
            yield block, values

    monkeypatch.setattr("gpool_cli.formats.interface.PART_BYTES", 1)
    monkeypatch.setattr(NpyReader, "blocks", spy)
    batch = save(tmp_path, "npy", values_of("NHWC"))
    look(batch, "NHWC", index=1)
    assert set(read) == {1}
    read.clear()
    look(save(tmp_path, "npy", values_of("CHW")), "CHW", channel=4)
    assert set(read) == {4}
