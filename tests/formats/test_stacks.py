"""Rows by pooling, and their names."""

import io

import h5py
import numpy as np
import pytest

from gpool_cli.formats import stacks as stacks_module
from gpool_cli.formats.hdf5writer import Hdf5Writer
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.formats.npz import NpzWriter
from gpool_cli.formats.stacks import Stacks


def test_names_are_kept_as_runs(make_result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks_module, "_NAMES_AT_A_TIME", 4)
    stacks = Stacks()
    for name, rows in (("a.npy", 3), ("a.npy", 2), ("long.npy", 4)):
        for pooling in ("avg", "max"):
            stacks.add(make_result(np.zeros((rows, 1, 1, 2)), name, pooling=pooling, axes="NHWC"))
    assert len(stacks._runs) == 2
    assert (stacks.rows, stacks.longest) == (9, 8)
    assert list(stacks.names()) == [
        ["a.npy"] * 4, ["a.npy"] + ["long.npy"] * 3, ["long.npy"],
    ]  # fmt: skip
    assert list(stacks.spools) == ["avg", "max"]
    stacks.close()


@pytest.mark.parametrize("writer", [NpzWriter, Hdf5Writer])
def test_names_are_written_some_at_a_time(
    writer, make_result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacks_module, "_NAMES_AT_A_TIME", 2)
    file = io.BytesIO()
    writing = writer(file, WriteStyle(stack=True, batched=True))
    for name, rows in (("a.npy", 3), ("bé.npy", 2)):
        writing.add(make_result(np.zeros((rows, 1, 1, 2)), name, axes="NHWC"))
    writing.finish()
    file.seek(0)
    if writer is NpzWriter:
        names = np.load(file)["sources"].tolist()
    else:
        names = h5py.File(file)["sources"].asstr()[()].tolist()
    assert names == ["a.npy"] * 3 + ["bé.npy"] * 2
