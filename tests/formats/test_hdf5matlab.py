"""MATLAB 7.3: axes as MATLAB has them, and what is no array of numbers is skipped by name."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli import global_pool
from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5matlab import MatlabReader
from tests.making import mat

VALUES = np.arange(60, dtype="f8").reshape(5, 4, 3)


@pytest.mark.parametrize("chunks", [None, (2, 3, 4)])
def test_axes_are_those_of_matlab(chunks: tuple[int, ...] | None, tmp_path: Path) -> None:
    mat.write(tmp_path / "a.mat", {"m": VALUES}, chunks=chunks)
    with MatlabReader(str(tmp_path / "a.mat")) as reader:
        (info,) = reader.arrays()
    assert info.shape == (5, 4, 3)
    assert "axes as MATLAB has them" in info.note
    got = global_pool(tmp_path / "a.mat", layout="HWC", shape="flat")
    assert got.tolist() == VALUES.mean((0, 1)).tolist()


def test_what_is_no_array_of_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, kind in {"text": "char", "cells": "cell", "m": "double"}.items():
            file[name] = VALUES.astype("u2")
            file[name].attrs["MATLAB_class"] = np.bytes_(kind)
        file["none"] = np.zeros(2, "u8")
        file["none"].attrs["MATLAB_empty"] = 1
        for name in ("s/field", "#refs#/a", "#subsystem#/b"):
            file[name] = VALUES
    mat.sign(path)
    with MatlabReader(str(path)) as reader:
        reasons = {info.dataset: info.refusal for info in reader.arrays()}
    assert reasons == {
        "text": "holds text",
        "cells": "is a cell array",
        "m": "",
        "none": "is empty",
        "s/field": "is a field of a struct; save it as a variable of its own",
        "#refs#/a": "belongs to a cell array or a struct",
        "#subsystem#/b": "belongs to an object",
    }


def test_older_versions_are_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    path.write_bytes(b"MATLAB 5.0 MAT-file, Platform: PCWIN64".ljust(600))
    with pytest.raises(InputError) as caught:
        MatlabReader(str(path))
    assert caught.value.message == "is a MATLAB file of version 7 or older"
    assert "'-v7.3'" in caught.value.hint


def test_plain_hdf5_is_not_taken_for_matlab(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["m"] = VALUES
    with pytest.raises(InputError) as caught:
        MatlabReader(str(tmp_path / "a.mat"))
    assert caught.value.hint == "name it .h5"


def test_the_layout_of_the_file_is_reversed_with_its_axes(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["m"] = VALUES.T
        for axis, label in zip(file["m"].dims, "CHW", strict=True):
            axis.label = label
    mat.sign(path)
    with MatlabReader(str(path)) as reader:
        (info,) = reader.arrays()
    assert info.file_layout == "WHC"
    got = global_pool(path, shape="flat")
    assert got.tolist() == VALUES.mean((0, 1)).tolist()


def test_a_class_that_is_no_text_costs_its_variable_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    odd = {"numbers": np.arange(3), "texts": np.array([b"a", b"b"]), "none": h5py.Empty("S4")}
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, said in {**odd, "said": "char", "m": np.bytes_("double")}.items():
            file[name] = VALUES
            file[name].attrs["MATLAB_class"] = said
    mat.sign(path)
    with MatlabReader(str(path)) as reader:
        reasons = {info.dataset: info.refusal for info in reader.arrays()}
    assert reasons == {
        **dict.fromkeys(odd, "has a MATLAB_class that is no text"),
        "said": "holds text",
        "m": "",
    }
